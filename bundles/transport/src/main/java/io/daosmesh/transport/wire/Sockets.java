package io.daosmesh.transport.wire;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.RecvByteBufAllocator;

/** Socket settings that both sides share. Stateless. */
public final class Sockets {
    private Sockets() {}

    /** Deprecated in netty for direct use by handlers, still the only way to set it from outside. */
    @SuppressWarnings("deprecation")
    public static ChannelOption<RecvByteBufAllocator> receiveBufferOption() {
        return ChannelOption.RCVBUF_ALLOCATOR;
    }

    /** Up to 512 KiB a read: netty's default of 64 KiB costs a factor of 20 with many 64 KiB messages in flight. */
    public static RecvByteBufAllocator receiveBuffer() {
        return new AdaptiveRecvByteBufAllocator(512, 65536, 524288);
    }
}
