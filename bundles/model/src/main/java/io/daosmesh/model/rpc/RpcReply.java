package io.daosmesh.model.rpc;

import java.nio.ByteBuffer;

/** An incoming reply; both buffers are valid only inside the decoder it is given to. */
public record RpcReply(ByteBuffer body, ByteBuffer data) {
    /** Turns a reply into a value; copies what it keeps; may throw (protobuf's exceptions become DER_PROTO). */
    @FunctionalInterface
    public interface Decoder<T> {
        T decode(RpcReply reply) throws Exception;
    }
}
