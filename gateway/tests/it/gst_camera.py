#!/usr/bin/python3
"""A camera by gst-rtsp-server on 127.0.0.1: gst_camera.py PORT CODEC [USER PASSWORD [digest | CERTIFICATE KEY]]; prints the port once it listens.

CODEC is a key of ENCODERS; the stream is at /live. PORT 0 takes a free one. A ball moves through the picture.
"""
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
    "h265": "video/x-raw,format=I420 ! x265enc tune=zerolatency speed-preset=ultrafast option-string=keyint=10:min-keyint=10 ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "vp8": "video/x-raw,format=I420 ! vp8enc deadline=1 ! rtpvp8pay name=pay0 pt=96",
}
SOURCE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=10/1 ! videoconvert"

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( {SOURCE} ! {ENCODERS[sys.argv[2]]} )")
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
