# A static binary and the roots it trusts, nothing else: no shell, no user database, no /tmp.
# Both images are arguments, so that the same file builds where no registry can be reached.
ARG RUST_IMAGE=docker.io/library/rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
# An explicit target keeps `crt-static` away from build scripts and procedural macros.
RUN target="$(rustc --print host-tuple)" \
 && RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --locked --profile image --target "$target" --package promote --bin promote \
 && mkdir -p /out/etc/ssl/certs \
 && cp "target/$target/image/promote" /out/promote \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/

FROM scratch
LABEL org.opencontainers.image.title="promote" \
      org.opencontainers.image.description="Moves a tested release from staging to prod in a GitOps repository, as one pull request" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /
# No USER and no WORKDIR: a container action runs as root, where the runner says.
ENTRYPOINT ["/promote"]
