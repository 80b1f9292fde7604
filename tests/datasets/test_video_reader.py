"""Frames by number: every backend gives the same ones, and a broken file is an error."""
import pickle
import struct
import subprocess
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from mmspike.datasets import VideoReadError, open_video
from mmspike.datasets.video_backends import OpenCVReader
from mmspike.datasets.video_container import missing_bytes
from mmspike.datasets.video_reader import TAIL_FRAMES

BACKENDS = ['opencv', 'decord', 'pyav']


def need(backend):
    module = dict(decord='decord', pyav='av').get(backend)
    if module and find_spec(module) is None:
        pytest.skip(f'{module} is absent')


def write_with_av(path, num_frames, size, slow_from=1000):
    """A lossless video; from ``slow_from`` on each frame lasts three times as long."""
    av = pytest.importorskip('av')
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('ffv1', rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, 'yuv444p'
        for index in range(num_frames):
            image = np.full((size[1], size[0], 3), 10 * (index + 1), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            frame.pts = 3 * index if index > slow_from else index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('name', ['clip.avi', 'clip.mkv', 'clip.mp4'])
def test_frames_by_number(tmp_path, make_video, frame_numbers, backend, name):
    need(backend)
    path = make_video(tmp_path / name, codec='mp4v' if name.endswith('mp4') else 'HFYU')
    reader = open_video(str(path), backend)
    assert len(reader) == 20
    frames = reader.read([19, 3, 3, 0])
    assert frame_numbers(frames) == [19, 3, 3, 0]
    assert all(frame.shape == (32, 64, 3) and frame.dtype == np.uint8 for frame in frames)
    assert frame_numbers(reader.read([7])) == [7]  # reading again starts over
    assert reader.read([]) == []


def test_repeated_frames_do_not_share_memory(tmp_path, make_video, frame_numbers):
    frames = open_video(str(make_video(tmp_path / 'clip.avi'))).read([4, 4])
    frames[0][:] = 0  # as mmaction's Flip does, in place
    assert frame_numbers(frames) == [-1, 4]


def test_stops_at_the_last_frame_asked_for(tmp_path, make_video, monkeypatch):
    path = str(make_video(tmp_path / 'clip.avi'))
    reader, grabbed = OpenCVReader(path), []
    capture = cv2.VideoCapture

    class Counting:
        def __init__(self, *args):
            self.inner = capture(*args)

        def grab(self):
            grabbed.append(1)
            return self.inner.grab()

        def __getattr__(self, name):
            assert name != 'set', 'no seeking'
            return getattr(self.inner, name)

    monkeypatch.setattr(cv2, 'VideoCapture', Counting)
    reader.read([5, 2])
    assert len(grabbed) == 6


@pytest.mark.parametrize('size', [(33, 17), (2, 2), (161, 90)])
def test_odd_sizes(tmp_path, frame_numbers, size):
    write_with_av(tmp_path / 'clip.mkv', 5, size)  # OpenCV's writer rounds sizes down to even
    frames = open_video(str(tmp_path / 'clip.mkv')).read([0, 4])
    assert frames[0].shape == (size[1], size[0], 3)
    assert frame_numbers(frames) == [0, 4]


def test_grey_video_comes_as_rgb(tmp_path, make_video, frame_numbers):
    frame = open_video(str(make_video(tmp_path / 'grey.avi', codec='FFV1', grey=True))).read([6])[0]
    assert frame.shape == (32, 64, 3)
    assert frame_numbers([frame]) == [6]


@pytest.mark.parametrize('backend', BACKENDS)
def test_rotation_tag_is_followed(tmp_path, make_video, backend):
    need(backend)
    path = make_video(tmp_path / 'clip.mp4', codec='mp4v')
    upright = open_video(str(path)).read([2])[0]
    data = bytearray(path.read_bytes())
    start = data.find(b'tkhd') + 8 + (20 if data[data.find(b'tkhd') + 4] == 0 else 32) + 16
    data[start:start + 36] = struct.pack('>9i', 0, 65536, 0, -65536, 0, 0, 32 * 65536, 0, 1 << 30)  # clockwise
    path.write_bytes(data)
    frame = open_video(str(path), backend).read([2])[0]
    assert frame.shape == (64, 32, 3)
    np.testing.assert_allclose(frame.astype(int), np.rot90(upright, -1).astype(int), atol=3)


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('name', ['clip.avi', 'clip.mkv', 'clip.mp4'])
@pytest.mark.parametrize('part', [0.9, 0.5])
def test_truncated_file_is_an_error(tmp_path, make_video, backend, name, part):
    need(backend)
    path = make_video(tmp_path / name, 40, codec='mp4v' if name.endswith('mp4') else 'HFYU')
    assert missing_bytes(str(path)) == 0
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * part)])
    with pytest.raises(VideoReadError, match='truncated|cannot open') as error:
        open_video(str(path), backend).read([0])
    assert error.value.path == str(path) and str(path) in str(error.value)


def test_a_lost_tail_of_two_frames_is_clamped_and_no_more(tmp_path, make_video, frame_numbers):
    path = str(make_video(tmp_path / 'clip.avi'))
    reader = open_video(path)
    reader.num_frames += TAIL_FRAMES
    assert frame_numbers(reader.read([18, 20, 21])) == [18, 19, 19]
    reader.num_frames += 1
    assert frame_numbers(reader.read([18])) == [18]
    with pytest.raises(VideoReadError, match="ended early: 20 of 23 frames.*backend='pyav'"):
        reader.read([22])


@pytest.mark.parametrize('backend', BACKENDS)
def test_files_that_are_no_videos(tmp_path, backend):
    need(backend)
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'text.mp4').write_text('not a video ' * 100)
    reasons = {'none.mp4': 'no such file', 'empty.mp4': r'empty \(0 bytes\)', 'text.mp4': 'not a video|cannot open'}
    for name, why in reasons.items():
        with pytest.raises(VideoReadError, match=why):
            open_video(str(tmp_path / name), backend)


def test_frame_outside_the_video(tmp_path, make_video):
    reader = open_video(str(make_video(tmp_path / 'clip.avi')))
    with pytest.raises(IndexError, match='frames 0 to 19, asked for 3 to 20'):
        reader.read([3, 20])


def test_unknown_backend_names_the_known_ones():
    with pytest.raises(ValueError, match='opencv, decord, pyav'):
        open_video('a.mp4', 'ffmpeg')


@pytest.mark.parametrize('first', [0, 1, 9])
def test_folder_of_frames(tmp_path, frame_numbers, first):
    for index in range(12):
        cv2.imwrite(str(tmp_path / f'img_{first + index:05}.png'), np.full((8, 6, 3), 10 * (index + 1), np.uint8))
        cv2.imwrite(str(tmp_path / f'flow_x_{first + index:05}.png'), np.zeros((8, 6), np.uint8))
    reader = open_video(str(tmp_path), filename_tmpl='img_{:05}.png')
    assert len(reader) == 12
    assert frame_numbers(reader.read([11, 0])) == [11, 0]
    assert len(open_video(str(tmp_path))) == 24
    with pytest.raises(VideoReadError, match="no frames named like 'frame_"):
        open_video(str(tmp_path), filename_tmpl='frame_{:03}.jpg')


def test_folder_in_the_order_of_its_numbers(tmp_path, frame_numbers):
    for index in range(11):
        cv2.imwrite(str(tmp_path / f'{index}.png'), np.full((8, 6, 3), 10 * (index + 1), np.uint8))
    assert frame_numbers(open_video(str(tmp_path)).read(range(11))) == list(range(11))
    (tmp_path / '5.png').write_text('no image')
    with pytest.raises(VideoReadError, match='5.png is not an image'):
        open_video(str(tmp_path)).read([5])


def test_folder_without_frames(tmp_path):
    with pytest.raises(VideoReadError, match='no images'):
        open_video(str(tmp_path))
    with pytest.raises(VideoReadError, match='no such folder'):
        open_video(str(tmp_path / 'none'), filename_tmpl='img_{:05}.jpg')


def test_error_survives_the_way_out_of_a_worker():
    error = pickle.loads(pickle.dumps(VideoReadError('a.mp4', 'broken')))
    assert (error.path, error.why, str(error)) == ('a.mp4', 'broken', 'cannot read video a.mp4: broken')


def test_containers_whose_declared_count_is_a_guess(tmp_path, frame_numbers):
    """A longer sound track and a variable frame rate make mkv declare frames that are not there."""
    path = tmp_path / 'vfr.mkv'
    write_with_av(path, 20, (48, 32), slow_from=10)
    assert int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) > 22
    for backend in ('opencv', 'pyav'):
        reader = open_video(str(path), backend)
        assert len(reader) == 20
        assert frame_numbers(reader.read([0, 19])) == [0, 19]


def test_real_videos_are_as_long_as_they_say(samples):
    paths = sorted((samples / 'videos').glob('a*/*'))
    assert len(paths) == 28
    for path in paths:
        reader = open_video(str(path))
        assert 47 <= len(reader) <= 310
        assert reader.read([len(reader) - 1])[0].shape[2] == 3  # the last one is there, by one pass to the end


@pytest.mark.parametrize('codec', ['libx264', 'mpeg4'])
@pytest.mark.parametrize('name', ['clip.mp4', 'clip.mkv', 'clip.avi'])
def test_backends_agree_where_frames_are_skipped(tmp_path, codec, name):
    """PyAV leaves out B-frames that nothing refers to; the others must come out the same to the bit."""
    av = pytest.importorskip('av')
    if codec not in av.codecs_available:
        pytest.skip(f'PyAV has no {codec}')
    path = tmp_path / name
    texture = cv2.resize(np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8), (200, 200))
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=25, options=dict(bf='3'))
        stream.width = stream.height = 96
        stream.pix_fmt = 'yuv420p'
        for index in range(60):
            part = np.ascontiguousarray(texture[index:index + 96, index:index + 96])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(part, format='rgb24')))
        container.mux(stream.encode())
    indices = [0, 3, 4, 17, 18, 31, 45, 46, 58, 59]
    plain, skipping = (open_video(str(path), backend).read(indices) for backend in ('opencv', 'pyav'))
    for one, other in zip(plain, skipping, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pyav_reads_what_an_edit_list_leaves(tmp_path, samples):
    """A cut without re-encoding: the file holds 300 frames and shows 260."""
    av = pytest.importorskip('av')
    path = tmp_path / 'cut.mp4'
    with av.open(str(samples / 'videos/actions/tai_chi.mp4')) as source, av.open(str(path), 'w') as container:
        stream = source.streams.video[0]
        target = container.add_stream_from_template(stream)
        shift = 40 * stream.duration // 300
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, target
                container.mux(packet)
    reader = open_video(str(path), 'pyav')
    assert len(reader) == 260
    whole = open_video(str(samples / 'videos/actions/tai_chi.mp4')).read([40, 299])
    for one, other in zip(whole, reader.read([0, 259]), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(VideoReadError, match="ended early: 260 of 300.*edit list.*backend='pyav'"):
        open_video(str(path)).read([299])


def test_decord_keeps_its_runtime_to_itself():
    """Else what torch has freed as a process ends is decord's to free; in a process of its own, as loading is once."""
    need('decord')
    code = """if True:
        import ctypes
        from mmspike.datasets.video_backends import load_decord
        assert load_decord().__version__
        assert not hasattr(ctypes.CDLL(None), 'DECORDFuncListGlobalNames')
        """
    subprocess.run([sys.executable, '-c', code], check=True)
