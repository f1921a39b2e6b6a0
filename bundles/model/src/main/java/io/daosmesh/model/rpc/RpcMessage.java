package io.daosmesh.model.rpc;

import com.google.protobuf.MessageLite;
import java.nio.ByteBuffer;

/**
 * An outgoing request or reply: a small message and bulk bytes.
 *
 * @param data from position to limit; not copied: stays untouched until {@code onSent} has run; may be empty
 * @param onSent runs exactly once when the transport needs {@code data} no more (sent, failed or cancelled); returns
 *     buffers to their pool
 */
public record RpcMessage(MessageLite body, ByteBuffer data, Runnable onSent) {
    public static final ByteBuffer NO_DATA = ByteBuffer.allocate(0).asReadOnlyBuffer();

    public static RpcMessage of(MessageLite body) {
        return new RpcMessage(body, NO_DATA, () -> {});
    }

    public static RpcMessage of(MessageLite body, ByteBuffer data) {
        return new RpcMessage(body, data, () -> {});
    }
}
