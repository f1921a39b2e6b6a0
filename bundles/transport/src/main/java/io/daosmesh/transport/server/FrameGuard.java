package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.RpcLimit;
import io.daosmesh.transport.wire.FrameChecksum;
import io.daosmesh.transport.wire.FrameRoom;
import io.daosmesh.transport.wire.FrameShape;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the stream of a peer into RSocket frames and lets through only those that a peer of ours sends: until admission one of 4 KiB
 * at most, then requests, and what belongs to them, in one piece. Owner: the connection's event loop. A large request is
 * taken in only if its client's budget has room for it, otherwise it is thrown away byte by byte and its header alone goes on, for
 * the answer BUSY.
 */
final class FrameGuard extends ByteToMessageDecoder {
    /** SETUP with the longest credential. */
    static final int FIRST_FRAME_MAX = 4 << 10;

    /** Bulk bytes, body and envelope of the largest message. */
    static final int FRAME_MAX = RpcLimit.DATA_BYTES_MAX + RpcLimit.BODY_BYTES_MAX + (64 << 10);

    /** Requests up to here are counted when they are complete. */
    static final int SMALL_MAX = 64 << 10;

    private static final int KEEPALIVE_MAX = 1 << 10;
    private static final int LENGTH_BYTES = 3;
    private static final int HEADER_BYTES = 6;
    private static final int FLAG_FOLLOWS = 0x80;
    private static final int FLAG_METADATA = 0x100;

    private final Backlog backlog;
    private final FrameRoom room;
    private final Consumer<Fault> cutOff;
    private Budget.@Nullable Account account;
    private boolean isFirst = true;
    private boolean isRefused;
    private boolean isSealed;
    private int reserved;
    private int toDrop;

    FrameGuard(Backlog backlog, FrameRoom room, Consumer<Fault> cutOff) {
        this.backlog = backlog;
        this.room = room;
        setCumulator(room);
        this.cutOff = cutOff;
    }

    /** The peer is known: larger frames may come, at its own expense. */
    void admit(Budget.Account client) {
        account = client;
    }

    /** The peer is being told why it may not come in: what it sends meanwhile is of no interest. */
    void close() {
        isRefused = true;
    }

    /** Frames have a checksum behind them: so must those that are made here. */
    void sealed() {
        isSealed = true;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (isRefused) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (toDrop > 0) {
            drop(in);
            return;
        }
        if (in.readableBytes() < LENGTH_BYTES + HEADER_BYTES) {
            refuseShort(in);
            return;
        }
        int length = in.getUnsignedMedium(in.readerIndex());
        int type = in.getUnsignedShort(in.readerIndex() + LENGTH_BYTES + 4) >>> 10;
        String wrong = wrong(in, length, type);
        if (wrong != null) {
            refuse(in, wrong);
        } else if (in.readableBytes() >= LENGTH_BYTES + length) {
            String broken = FrameShape.wrong(in, isSealed ? length - FrameChecksum.SUM_BYTES : length, type);
            if (broken != null) {
                refuse(in, broken);
                return;
            }
            giveBack();
            isFirst = false;
            if (type == FrameShape.KEEPALIVE) backlog.oweHeader(LENGTH_BYTES + length);
            out.add(in.readRetainedSlice(LENGTH_BYTES + length));
        } else if (length > SMALL_MAX && reserved == 0 && !reserve(length)) {
            ByteBuf header = headerAlone(ctx, in, type);
            out.add(isSealed ? FrameChecksum.seal(header) : header);
            toDrop = LENGTH_BYTES + length;
            drop(in);
        } else {
            room.expect(ctx, in, LENGTH_BYTES + length);
        }
    }

    private void drop(ByteBuf in) {
        int bytes = Math.min(toDrop, in.readableBytes());
        in.skipBytes(bytes);
        toDrop -= bytes;
    }

    private void refuseShort(ByteBuf in) {
        boolean isCut = in.readableBytes() >= LENGTH_BYTES && in.getUnsignedMedium(in.readerIndex()) < HEADER_BYTES;
        if (isCut) refuse(in, "a frame is too short");
    }

    private @Nullable String wrong(ByteBuf in, int length, int type) {
        if (length < HEADER_BYTES) return "a frame is too short";
        if (isFirst) {
            if (type != FrameShape.SETUP) return "the first frame is no SETUP";
            return length > FIRST_FRAME_MAX ? "the first frame is too long" : null;
        }
        if (account == null) return "a frame came before admission";
        int flags = in.getUnsignedShort(in.readerIndex() + LENGTH_BYTES + 4);
        int most = switch (type) {
            case FrameShape.REQUEST_RESPONSE, FrameShape.REQUEST_FNF, FrameShape.REQUEST_STREAM -> FRAME_MAX;
            case FrameShape.KEEPALIVE, FrameShape.REQUEST_N, FrameShape.CANCEL, FrameShape.ERROR -> KEEPALIVE_MAX;
            default -> 0;
        };
        if (most == 0) return "a frame of type " + type + " is not part of the protocol";
        if (length > most) return "a frame of " + length + " bytes";
        return FrameShape.isRequest(type) && (flags & FLAG_FOLLOWS) != 0 ? "a request comes in fragments" : null;
    }

    private void refuse(ByteBuf in, String why) {
        isRefused = true;
        in.skipBytes(in.readableBytes());
        giveBack();
        cutOff.accept(Fault.of(FaultCode.PROTO, why));
    }

    private boolean reserve(int length) {
        Budget.Account a = account;
        if (a == null || !a.take(length)) return false;
        reserved = length;
        return true;
    }

    private void giveBack() {
        Budget.Account a = account;
        if (a != null) a.giveBack(reserved);
        reserved = 0;
    }

    /** A request without metadata: see {@link Responder}. */
    private static ByteBuf headerAlone(ChannelHandlerContext ctx, ByteBuf in, int type) {
        int length = type == FrameShape.REQUEST_STREAM ? HEADER_BYTES + 4 : HEADER_BYTES;
        ByteBuf header = ctx.alloc().buffer(LENGTH_BYTES + length).writeMedium(length);
        header.writeInt(in.getInt(in.readerIndex() + LENGTH_BYTES));
        header.writeShort(in.getUnsignedShort(in.readerIndex() + LENGTH_BYTES + 4) & ~FLAG_METADATA);
        return type == FrameShape.REQUEST_STREAM ? header.writeInt(1) : header;
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        giveBack();
        room.leave();
    }
}
