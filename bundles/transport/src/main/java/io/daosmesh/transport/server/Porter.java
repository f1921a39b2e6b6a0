package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Stands before the event loops: accepting is faster than they are when much is going on, so connections that they have not closed
 * yet would pile up. Owner: the accepting thread.
 */
final class Porter extends ChannelInboundHandlerAdapter {
    private final Listener.Gates gates;

    Porter(Listener.Gates gates) {
        this.gates = gates;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) {
        if (!(accepted instanceof Channel channel) || !(channel.remoteAddress() instanceof InetSocketAddress peer)) {
            ReferenceCountUtil.release(accepted);
            return;
        }
        InetAddress address = peer.getAddress();
        if (!gates.door().mayApproach(address)) {
            gates.counters().setupsRefused.increment();
            gates.refusals().tell(address, Fault.of(FaultCode.BUSY, "too many connections wait to be closed"));
            channel.unsafe().closeForcibly();
            return;
        }
        channel.closeFuture().addListener(f -> gates.door().gone(address));
        ctx.fireChannelRead(accepted);
    }
}
