# A static binary and the roots it trusts, nothing else: no shell, no user database, no /tmp.
#
# The same inputs give the same image, whatever the day and the machine: the base is named by digest, crates are
# those of Cargo.lock, the binary holds no path and no time of its build, and files carry SOURCE_DATE_EPOCH.

# An argument, so that the same file builds where no registry can be reached.
# To follow a newer Rust: docker buildx imagetools inspect rust:VERSION-bookworm
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1

FROM ${RUST_IMAGE} AS build
WORKDIR /src
# An explicit target keeps these away from build scripts and procedural macros. Static; without tables to unwind
# by, since a panic ends the process; relocations packed; the same paths wherever crates are kept.
ENV CARGO_BUILD_TARGET=host-tuple \
    RUSTFLAGS="-C target-feature=+crt-static -C force-unwind-tables=no -C link-arg=-Wl,-z,pack-relative-relocs,--build-id=none --remap-path-prefix=/usr/local/cargo/registry/src/= --remap-path-prefix=/src/=" \
    CFLAGS="-fno-asynchronous-unwind-tables -fno-unwind-tables -ffile-prefix-map=/usr/local/cargo/registry/src/= -ffile-prefix-map=/src/="
# Dependencies first, for an empty program: a change of our own code alone does not compile them again.
COPY Cargo.toml Cargo.lock ./
COPY tests/fake-github/Cargo.toml tests/fake-github/
RUN mkdir src \
 && touch src/lib.rs \
 && echo 'fn main() {}' >src/main.rs \
 && cargo build --locked --profile image --bin promote
COPY src src
RUN touch src/lib.rs src/main.rs \
 && cargo build --frozen --profile image --bin promote \
 && install -D -m 0755 target/*/image/promote /out/promote \
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ca-certificates.crt
# The time of every file, in seconds since 1970: of the commit, in a release.
ARG SOURCE_DATE_EPOCH=0
RUN find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch
# What a build is of: a version, a commit, and the repository's address.
ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=https://github.com/acme/promote
LABEL org.opencontainers.image.title="promote" \
      org.opencontainers.image.description="Moves a tested release from staging to prod in a GitOps repository, as one pull request" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.url="${SOURCE}" \
      org.opencontainers.image.documentation="${SOURCE}#readme"
COPY --from=build /out/ /
# No USER and no WORKDIR: a container action runs as root, where the runner says.
ENTRYPOINT ["/promote"]
