package io.daosmesh.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of one process: takes messages apart and sends answers. Owner: the server's loop. At most one message is read at a time,
 * and none while an answer is on its way: who does not read is not read.
 */
final class Connection {
    static final long NEVER = Long.MAX_VALUE;
    private static final int HEADER_BYTES = 4;
    private static final int FIRST_BYTES = 512;

    final SocketChannel channel;
    final SelectionKey key;
    final Handles.OfProcess handles;
    /** Null until the kernel has been asked. */
    @Nullable
    Caller caller;

    /** When it is closed unless something arrives or leaves. */
    long deadlineNs;

    boolean isClosed;
    private ByteBuffer in = ByteBuffer.allocate(FIRST_BYTES);
    private ByteBuffer out = ByteBuffer.allocate(0);
    private boolean endsAfterAnswer;

    Connection(SocketChannel channel, SelectionKey key, Handles.OfProcess handles, long deadlineNs) {
        this.channel = channel;
        this.key = key;
        this.handles = handles;
        this.deadlineNs = deadlineNs;
    }

    /** Another length than a message may have: the other side speaks something else. */
    static final class Garbled extends IOException {
        private static final long serialVersionUID = 1;

        Garbled() {
            super("no message of this protocol");
        }
    }

    /** Reads once; false at the end of the stream. */
    boolean read() throws IOException {
        return channel.read(in) >= 0;
    }

    /** The next whole message, with its bytes taken out. */
    Optional<byte[]> message() throws Garbled {
        if (in.position() < HEADER_BYTES) return Optional.empty();
        int length = in.getInt(0);
        if (length < 1 || length > AgentLimits.MESSAGE_BYTES_MAX) throw new Garbled();
        if (in.position() < HEADER_BYTES + length) {
            // grows with what has arrived, not with what was announced
            if (!in.hasRemaining()) grow(Math.min(2 * in.capacity(), HEADER_BYTES + AgentLimits.MESSAGE_BYTES_MAX));
            return Optional.empty();
        }
        byte[] message = new byte[length];
        in.flip();
        in.position(HEADER_BYTES);
        in.get(message);
        in.compact();
        if (in.position() == 0 && in.capacity() > FIRST_BYTES) in = ByteBuffer.allocate(FIRST_BYTES);
        return Optional.of(message);
    }

    private void grow(int bytes) {
        in = ByteBuffer.allocate(bytes).put(in.flip());
    }

    int capacityBytes() {
        return in.capacity();
    }

    boolean isWithinMessage() {
        return in.position() > 0;
    }

    /** @param last closed once it is sent */
    void answer(byte[] message, boolean last) {
        out = ByteBuffer.allocate(HEADER_BYTES + message.length);
        out.putInt(message.length).put(message).flip();
        endsAfterAnswer = last;
    }

    /** True when all of the answer is gone. */
    boolean write() throws IOException {
        channel.write(out);
        return !out.hasRemaining();
    }

    boolean endsNow() {
        return endsAfterAnswer && !out.hasRemaining();
    }
}
