# The two commands of the README, and what they stand on. Works on Debian and Ubuntu with Rust (rustup.rs).

SHELL := /bin/bash
.PHONY: demo test check build console packages-build packages-test packages-console packages-bench packages-ffmpeg test-ffmpeg bench nab eval-video fuzz

# Runs the gateway on replayed real recordings: no broker, camera, database or network of yours.
demo: packages-build
	@$(MAKE) --no-print-directory console || echo "the console was not built: the page says how, the rest of the demo works"
	cargo build --release --locked --bin outpost
	./target/release/outpost demo

# Everything: unit, property, replay, and integration against real servers on free loopback ports.
test: packages-build packages-test console
	cd $(CONSOLE) && npm test
	cargo test --workspace --locked
	cd $(CONSOLE) && OUTPOST_BIN=$(abspath $(or $(CARGO_TARGET_DIR),target)/debug/outpost) npm run e2e

# Feature `ffmpeg`: what looks at pictures, with libavcodec.
test-ffmpeg: packages-build packages-test packages-ffmpeg
	cargo clippy --workspace --features outpost/ffmpeg --all-targets --locked -- -D warnings
	cargo test --workspace --features outpost/ffmpeg --locked --lib -- video:: pipeline::picture
	cargo test --workspace --features outpost/ffmpeg --locked --test it -- camera clips pictures recordings

# The page that the gateway serves. Built when its sources are newer; the gateway itself builds without it.
CONSOLE := gateway/console
CONSOLE_SOURCES := $(shell find $(CONSOLE) \( -name node_modules -o -name dist -o -name tests -o -name e2e -o -name screenshots \) -prune -o -type f -print)

console: $(CONSOLE)/dist/index.html

$(CONSOLE)/dist/index.html: $(CONSOLE)/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	cd $(CONSOLE) && npm run build

$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package-lock.json | packages-console
	cd $(CONSOLE) && npm ci --loglevel=error --no-fund --no-audit

# What CI asks beside the tests.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Figures of benches/RESULTS.md; see benches/README.md. About half an hour: `benches/run --short` sees that all runs.
bench: packages-build packages-bench
	benches/run

# How good the anomaly detector is (benches/RESULTS.md, section D). Fetches NAB and SKAB unless NAB_DIR and SKAB_DIR name
# them.
nab: packages-build
	benches/nab

# What recordings with ground truth are told of, beside Debian's motion (benches/RESULTS.md, section M). OUTPOST_VIDEO_DATA names
# their folder. About half an hour.
eval-video: packages-build packages-bench
	benches/eval-video

# Changed GeoJSON and well-known text, then radiometric pictures, recorded files and coded pictures, each for so many seconds; a
# failure prints the seed that repeats it.
SECONDS ?= 60
fuzz: packages-build
	FUZZ_SECONDS=$(SECONDS) FUZZ_SEED=$$(date +%s) cargo test -p outpost-fences --locked --test it fuzz:: -- --nocapture
	FUZZ_SECONDS=$(SECONDS) FUZZ_SEED=$$(date +%s) cargo test -p outpost --locked --test it -- thermal_fuzz:: video_fuzz:: --nocapture --test-threads 1
	FUZZ_SECONDS=$(SECONDS) FUZZ_SEED=$$(date +%s) cargo test -p outpost --locked --lib -- film::tests::changed --nocapture

packages-build:
	@.ci/packages gcc libc6-dev

packages-test:
	@.ci/packages mosquitto mosquitto-clients python3-paho-mqtt ffmpeg victoria-metrics influxdb chromium python3-gi gir1.2-gst-rtsp-server-1.0 \
	  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly \
	  gstreamer1.0-libav python3-shapely python3-aiosmtpd libxml2-utils openssl vlc-bin vlc-plugin-base

packages-ffmpeg:
	@.ci/packages libavcodec-dev libavformat-dev libavutil-dev libswscale-dev clang libclang-dev pkg-config

# Node as it is here, or else the distribution's.
packages-console:
	@command -v npm >/dev/null || .ci/packages nodejs npm
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' \
	  || { echo "the console needs Node 20.19 or newer; here is $$(node --version)" >&2; exit 1; }

# Node-RED needs Node 18 or later; one that is there is taken.
packages-bench:
	@.ci/packages mosquitto ffmpeg motion python3 python3-venv postgresql postgresql-postgis
	@command -v npm >/dev/null || .ci/packages nodejs npm
