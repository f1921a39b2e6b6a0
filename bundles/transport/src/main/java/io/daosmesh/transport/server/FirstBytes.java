package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.transport.wire.ClearChannel;
import io.daosmesh.transport.wire.Failures;
import io.daosmesh.transport.wire.FrameChecksum;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.rsocket.frame.ErrorFrameCodec;
import io.rsocket.frame.FrameLengthCodec;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;

/**
 * Looks at how a connection starts and decides what it may be: TLS, the proof of a clear data channel, or, in insecure mode only, RSocket at
 * once. Nothing else is looked at any further. Owner: the connection's event loop.
 */
final class FirstBytes extends ByteToMessageDecoder {
    private static final int TLS_HANDSHAKE = 0x16;
    private static final long HANDSHAKE_MS = 3_000;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Guest guest;
    private final Listener.Settings settings;
    private Optional<Proof> proof = Optional.empty();
    private boolean isRefused;

    /** What a client on a clear channel has to answer to. */
    private record Proof(Optional<Sessions.Session> session, byte[] nonce) {}

    FirstBytes(Guest guest, Listener.Settings settings) {
        this.guest = guest;
        this.settings = settings;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (isRefused) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (proof.isPresent()) {
            onProof(ctx, in, proof.get());
            return;
        }
        guest.gates().door().speaks(guest);
        boolean isTls = in.getUnsignedByte(in.readerIndex()) == TLS_HANDSHAKE;
        if (settings.tls().isEmpty()) onInsecure(ctx, in, isTls);
        else if (isTls) onTls(ctx, in, settings.tls().get().get());
        else if (settings.clearData()) onClear(ctx, in);
        else refuse(ctx, in, wantsTls(), false);
    }

    private void onInsecure(ChannelHandlerContext ctx, ByteBuf in, boolean isTls) {
        if (!isTls) {
            ctx.pipeline().remove(this);
            return;
        }
        isRefused = true;
        in.skipBytes(in.readableBytes());
        guest.cutOff(Fault.of(FaultCode.PROTO, "it speaks TLS, but allow_insecure is true here"));
    }

    private void onTls(ChannelHandlerContext ctx, ByteBuf in, SslContext context) {
        if (!guest.gates().door().mayShakeHands(guest)) {
            isRefused = true;
            in.skipBytes(in.readableBytes());
            guest.cutOff(Fault.of(FaultCode.BUSY, "too many TLS handshakes of one address"));
            return;
        }
        SslHandler tls = context.newHandler(ctx.alloc());
        tls.setHandshakeTimeoutMillis(HANDSHAKE_MS);
        ctx.pipeline().replace(this, "daosmesh.tls", tls);
    }

    private void onClear(ChannelHandlerContext ctx, ByteBuf in) {
        if (in.readableBytes() < Integer.BYTES) return;
        if (in.getInt(in.readerIndex()) != ClearChannel.MAGIC) {
            refuse(ctx, in, wantsTls(), false);
            return;
        }
        if (in.readableBytes() < Integer.BYTES + ClearChannel.ID_BYTES) return;
        in.skipBytes(Integer.BYTES);
        byte[] id = new byte[ClearChannel.ID_BYTES];
        in.readBytes(id);
        byte[] nonce = new byte[ClearChannel.NONCE_BYTES];
        RANDOM.nextBytes(nonce);
        proof = Optional.of(new Proof(guest.gates().sessions().find(id, guest.address()), nonce));
        ctx.writeAndFlush(ctx.alloc().buffer(nonce.length).writeBytes(nonce));
    }

    private void onProof(ChannelHandlerContext ctx, ByteBuf in, Proof asked) {
        if (in.readableBytes() < ClearChannel.PROOF_BYTES) return;
        byte[] shown = new byte[ClearChannel.PROOF_BYTES];
        in.readBytes(shown);
        boolean isGenuine = asked.session()
                .filter(s -> MessageDigest.isEqual(shown, ClearChannel.proof(s.key(), s.id(), asked.nonce())))
                .filter(guest.gates().sessions()::use)
                .isPresent();
        if (isGenuine) {
            asked.session().ifPresent(guest::prove);
            ctx.pipeline().remove(this);
            return;
        }
        refuse(
                ctx,
                in,
                Fault.of(FaultCode.NO_PERM, "the key of the data channel is wrong, has been used, or has expired")
                        .remedy("ask for a new one over TLS"),
                true);
    }

    private static Fault wantsTls() {
        return Fault.of(FaultCode.NO_CERT, "this node wants TLS, the connection has none")
                .remedy("set allow_insecure: false and name the certificates in transport_config");
    }

    private void refuse(ChannelHandlerContext ctx, ByteBuf in, Fault why, boolean isSealed) {
        isRefused = true;
        in.skipBytes(in.readableBytes());
        guest.refuse(why, refusal(ctx.alloc(), why, isSealed));
    }

    private static ByteBuf refusal(ByteBufAllocator alloc, Fault why, boolean isSealed) {
        ByteBuf error = ErrorFrameCodec.encode(alloc, 0, Failures.refusedSetup(why));
        ByteBuf frame = FrameLengthCodec.encode(alloc, error.readableBytes(), error);
        return isSealed ? FrameChecksum.seal(frame) : frame;
    }
}
