package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.transport.wire.FrameChecksum;
import io.daosmesh.transport.wire.FrameRoom;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One accepted connection on its way to admission and after: what guards it, and what of the node's limits it holds. Owner: the
 * connection's event loop; {@link #showOut} from any thread.
 */
final class Guest implements Door.Visitor {
    /** From the connect to admission, with TLS. */
    static final long ADMISSION_MS = 5_000;

    private static final AttributeKey<Guest> KEY = AttributeKey.valueOf("daosmesh.guest");

    private final Channel channel;
    private final Listener.Gates gates;
    private final InetAddress address;
    private final Backlog backlog;
    private final FrameGuard guard;
    private @Nullable Future<?> deadline;
    private Optional<Sessions.Session> session = Optional.empty();
    private Optional<RpcCall.Peer> peer = Optional.empty();
    private Budget.@Nullable Account account;

    Guest(Channel channel, Listener.Gates gates) {
        this.channel = channel;
        this.gates = gates;
        this.address = ((InetSocketAddress) channel.remoteAddress()).getAddress();
        this.backlog = new Backlog(this::cutOff);
        this.guard = new FrameGuard(backlog, FrameRoom.of(channel), this::cutOff);
        channel.attr(KEY).set(this);
    }

    static Guest of(Channel channel) {
        return channel.attr(KEY).get();
    }

    /** On the event loop, when connected. */
    void enter() {
        gates.door().enter(this);
        deadline = channel.eventLoop()
                .schedule(
                        () -> cutOff(Fault.of(FaultCode.TIMEDOUT, "it did not say who it is in time")),
                        ADMISSION_MS,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public InetAddress address() {
        return address;
    }

    Backlog backlog() {
        return backlog;
    }

    FrameGuard guard() {
        return guard;
    }

    Listener.Gates gates() {
        return gates;
    }

    /** Empty before and without admission. */
    Optional<RpcCall.Peer> peer() {
        return peer;
    }

    Optional<Sessions.Session> session() {
        return session;
    }

    /** It has proven on a clear channel that it holds this key. */
    void prove(Sessions.Session proven) {
        session = Optional.of(proven);
        guard.sealed();
        channel.pipeline()
                .addAfter(
                        Listener.GUARD,
                        "daosmesh.checksum",
                        new FrameChecksum(() -> gates.counters().framesDamaged.increment()));
    }

    /** BUSY when its address or role has too many connections. */
    Budget.Account admit(RpcCall.Peer known) {
        gates.door().admit(this, known.role());
        peer = Optional.of(known);
        stopDeadline();
        Budget.Account opened = gates.budget(known.role()).open(client(known));
        account = opened;
        guard.admit(opened);
        return opened;
    }

    /** Whose share of the node's memory it is: connections of one user share it, else those of an address. */
    private static String client(RpcCall.Peer p) {
        return p.user().map(u -> u.user() + u.machine()).orElse(p.remote() + " " + p.address());
    }

    /** On the event loop, when closed. */
    void leave() {
        stopDeadline();
        gates.door().leave(this, peer.map(RpcCall.Peer::role).orElse(null));
        Budget.Account opened = account;
        if (opened != null) opened.close();
    }

    private void stopDeadline() {
        Future<?> running = deadline;
        if (running != null) running.cancel(false);
        deadline = null;
    }

    /** Ends the connection without a word to the peer. */
    void cutOff(Fault why) {
        told(why);
        channel.close();
    }

    /** Ends the connection with a last frame; the peer has time to read it. Before RSocket has the connection. */
    void refuse(Fault why, ByteBuf lastFrame) {
        told(why);
        channel.pipeline()
                .firstContext()
                .writeAndFlush(lastFrame)
                .addListener(f -> channel.eventLoop().schedule(() -> channel.close(), 1, TimeUnit.SECONDS));
    }

    /** Counted, and in the log unless it has just said so. */
    void told(Fault why) {
        if (peer.isEmpty()) gates.counters().setupsRefused.increment();
        gates.refusals().tell(address, why);
    }

    @Override
    public void showOut() {
        channel.eventLoop()
                .execute(() -> cutOff(Fault.of(FaultCode.BUSY, "too many connections have not said who they are")));
    }
}
