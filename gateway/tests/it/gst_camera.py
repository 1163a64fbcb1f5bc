#!/usr/bin/python3
"""A camera by gst-rtsp-server on 127.0.0.1: gst_camera.py PORT CODEC [USER PASSWORD [digest | CERTIFICATE KEY]]; prints the port once it listens.

CODEC is a key of ENCODERS; the stream is at /live. PORT 0 takes a free one. A ball moves through the picture; not in that of
"h264-alarms", which has an ONVIF metadata stream beside it instead: see `Alarms`.
"""
import pathlib
import struct
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer

ENCODERS = {
    "h264": "video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 config-interval=-1",
    # Few cameras send a key frame so seldom, but "smart" codecs do.
    "h264-sparse": "video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=1000 ! rtph264pay name=pay0 pt=96 config-interval=-1",
    # A profile for studios, not cameras.
    "h264-444": "video/x-raw,format=Y444 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h264-alarms": "video/x-raw,format=I420 ! x264enc name=coder tune=zerolatency speed-preset=ultrafast key-int-max=10 option-string=scenecut=0 ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "video/x-raw,format=I420 ! x265enc tune=zerolatency speed-preset=ultrafast option-string=keyint=10:min-keyint=10 ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "vp8": "video/x-raw,format=I420 ! vp8enc deadline=1 ! rtpvp8pay name=pay0 pt=96",
}
SOURCE = "videotestsrc is-live=true pattern={} ! video/x-raw,width=320,height=240,framerate=10/1 ! videoconvert"
STILL = "smpte100"
# No payloader of Debian's makes packets of ONVIF metadata: they come ready made.
METADATA = 'appsrc name=pay1 is-live=true format=time do-timestamp=true caps="application/x-rtp,media=application,payload=107,clock-rate=90000,encoding-name=VND.ONVIF.METADATA"'
FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "alarms"


class Alarms:
    """Says by the number of coded pictures, one in ten of which is a key frame, that motion is off, on (in the middle of a group), off."""

    # The server waits for the first packet of each stream.
    SCRIPT = {1: "axis_first.xml", 21: "hikvision_motion_off.xml", 66: "hikvision_motion_on.xml", 166: "hikvision_motion_off.xml"}
    MTU = 500

    def __init__(self, media):
        self.pictures = self.sequence = 0
        self.source = media.get_element().get_by_name("pay1")
        media.get_element().get_by_name("coder").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self.coded)

    def coded(self, pad, info):
        self.pictures += 1
        if self.pictures in self.SCRIPT:
            self.say((FIXTURES / self.SCRIPT[self.pictures]).read_bytes())
        return Gst.PadProbeReturn.OK

    def say(self, text):
        for at in range(0, len(text), self.MTU):
            mark = 0x80 if at + self.MTU >= len(text) else 0
            head = struct.pack(">BBHII", 0x80, 107 | mark, self.sequence & 0xFFFF, self.pictures * 9000, 0x0A1A)
            self.source.emit("push-buffer", Gst.Buffer.new_wrapped(head + text[at : at + self.MTU]))
            self.sequence += 1

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
if sys.argv[2] == "h264-alarms":
    factory.set_launch(f"( {SOURCE.format(STILL)} ! {ENCODERS[sys.argv[2]]} {METADATA} )")
    factory.connect("media-configure", lambda _, media: Alarms(media))
else:
    factory.set_launch(f"( {SOURCE.format('ball')} ! {ENCODERS[sys.argv[2]]} )")
factory.set_shared(True)
if len(sys.argv) > 3:
    user, password = sys.argv[3:5]
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if sys.argv[5:] == ["digest"]:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    if len(sys.argv) > 6:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*sys.argv[5:7]))
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)
server.get_mount_points().add_factory("/live", factory)
if server.attach(None) == 0:
    sys.exit("cannot listen")
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
