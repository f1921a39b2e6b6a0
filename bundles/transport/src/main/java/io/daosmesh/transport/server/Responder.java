package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcLimit;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Outgoing;
import io.netty.buffer.ByteBuf;
import io.rsocket.Payload;
import io.rsocket.RSocket;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * Answers the requests of one accepted connection. Owner: its event loop; replies may come from any thread. Checks
 * envelope, clock, method, role and destination, in this order, before a handler sees anything.
 */
final class Responder implements RSocket {
    /** Requests of one connection under way; a peer of ours keeps to 256 itself. */
    static final int REQUESTS_MAX = 1024;

    /** What a request costs beside its bytes: objects, a timer, a place in queues. */
    private static final int REQUEST_COST = 4 << 10;

    private static final Logger log = LoggerFactory.getLogger(Responder.class);

    private final Parts parts;
    private final RpcCall.Peer peer;
    private final Set<RpcMethod> allowed;
    private final Budget.Account account;
    private final Backlog backlog;
    private final AtomicInteger underWay = new AtomicInteger();
    private final Map<RpcMethod, AtomicInteger> streams = new ConcurrentHashMap<>();

    /** What all connections of a server share. */
    record Parts(HandlerTable handlers, Hlc hlc, Scheduler deadlines, TransportCounters counters, Audit audit) {}

    /** @param allowed methods this kind of connection carries at all */
    Responder(Parts parts, RpcCall.Peer peer, Set<RpcMethod> allowed, Budget.Account account, Backlog backlog) {
        this.parts = parts;
        this.peer = peer;
        this.allowed = allowed;
        this.account = account;
        this.backlog = backlog;
    }

    Scheduler deadlines() {
        return parts.deadlines();
    }

    Payload refusal(Fault fault) {
        parts.counters().requestsRefused.increment();
        return owed(Envelope.refusal(parts.hlc().now(), fault));
    }

    private Payload owed(Payload payload) {
        backlog.oweHeader(payload.sliceMetadata().readableBytes());
        return payload;
    }

    /** BUSY when the client leaves too many answers lying about; the message's data is still the caller's then. */
    Payload reply(Outgoing message) {
        int bytes = message.dataBytes();
        if (bytes > 0) charge(message, bytes);
        Payload payload = Envelope.reply(parts.hlc().now(), message);
        parts.counters().bytesSent.add(bytes);
        return owed(payload);
    }

    private void charge(Outgoing message, int bytes) {
        if (!account.take(bytes)) throw busy("too many bytes of one client are under way");
        backlog.oweData(bytes);
        message.also(() -> {
            account.giveBack(bytes);
            backlog.freed(bytes);
        });
    }

    /** @param cost what the request had taken of its client's share */
    void onServed(int cost) {
        underWay.decrementAndGet();
        account.giveBack(cost);
        parts.counters().requestsBeingServed.decrement();
        parts.counters().requestsServed.increment();
    }

    Fault faultOf(Throwable t) {
        if (t instanceof Invariant.InvariantBroken || !(t instanceof FaultException)) {
            log.error("handler failed unexpectedly", t);
        }
        return FaultException.faultOf(t);
    }

    @Override
    public Mono<Payload> requestResponse(Payload payload) {
        ServedCall call;
        try {
            call = serve(payload, RpcMethod.Kind.CALL);
        } catch (RuntimeException e) {
            payload.release();
            return Mono.just(refusal(faultOf(e)));
        }
        return call;
    }

    @Override
    public Mono<Void> fireAndForget(Payload payload) {
        try {
            ServedCall call = serve(payload, RpcMethod.Kind.FIRE);
            call.subscribe(Payload::release, t -> log.debug("fire failed", t));
        } catch (RuntimeException e) {
            payload.release();
            if (!(e instanceof FaultException)) log.error("fire handler failed unexpectedly", e);
        }
        return Mono.empty();
    }

    @Override
    public Flux<Payload> requestStream(Payload payload) {
        Flux<RpcMessage> messages;
        AtomicInteger running = null;
        try {
            // the request outlives this method for as long as the stream runs: keep a copy, it is small
            Envelope.Request request = read(payload);
            RpcMethod method = check(request, payload, RpcMethod.Kind.STREAM);
            running = openStream(method);
            RpcCall call = new RpcCall(
                    method,
                    peer,
                    request.rank(),
                    request.deadlineMs(),
                    copy(request.body()),
                    copy(payload.sliceData().nioBuffer()));
            messages = parts.handlers().findStream(request.rank(), method).handle(call);
        } catch (RuntimeException e) {
            if (running != null) running.decrementAndGet();
            return Flux.just(refusal(faultOf(e)));
        } finally {
            payload.release();
        }
        AtomicInteger counted = running;
        return messages.map(this::streamed)
                .onErrorResume(t -> Flux.just(refusal(faultOf(t))))
                .doFinally(s -> counted.decrementAndGet());
    }

    private AtomicInteger openStream(RpcMethod method) {
        AtomicInteger open = streams.computeIfAbsent(method, m -> new AtomicInteger());
        int most = RpcLimit.of(method).streams();
        if (open.incrementAndGet() <= most) return open;
        open.decrementAndGet();
        throw busy("more than " + most + " streams " + method + " of one connection");
    }

    private RuntimeException busy(String what) {
        parts.counters().busyRefusals.increment();
        return Fault.of(FaultCode.BUSY, what).asException();
    }

    private Payload streamed(RpcMessage message) {
        Outgoing out = new Outgoing(message);
        try {
            if (backlog.owed() > 2 * Backlog.OWED_MAX) throw busy("what the stream has sent is not taken");
            return reply(out);
        } finally {
            out.finish();
        }
    }

    private ServedCall serve(Payload payload, RpcMethod.Kind kind) {
        Envelope.Request request = read(payload);
        RpcMethod method = check(request, payload, kind);
        ByteBuf data = payload.sliceData();
        int cost = REQUEST_COST + request.body().remaining() + data.readableBytes();
        if (underWay.incrementAndGet() > REQUESTS_MAX) {
            underWay.decrementAndGet();
            throw busy("more than " + REQUESTS_MAX + " requests of one connection");
        }
        if (!account.take(cost)) {
            underWay.decrementAndGet();
            throw busy("too many bytes of one client are under way");
        }
        parts.counters().requestsBeingServed.increment();
        parts.counters().bytesReceived.add(data.readableBytes());
        Mono<RpcMessage> handled;
        try {
            RpcCall call = new RpcCall(
                    method, peer, request.rank(), request.deadlineMs(), request.body(), direct(data.nioBuffer()));
            handled = parts.audit()
                    .recorded(
                            call,
                            () -> parts.handlers().find(request.rank(), method).handle(call));
        } catch (RuntimeException e) {
            handled = Mono.error(e);
        }
        return new ServedCall(this, payload, request.deadlineMs(), cost, handled);
    }

    /** {@link FrameGuard} leaves nothing but the header of a large request that there is no room for. */
    private Envelope.Request read(Payload payload) {
        if (!payload.hasMetadata()) throw busy("too many bytes of one client are under way");
        return Envelope.readRequest(payload);
    }

    private RpcMethod check(Envelope.Request request, Payload payload, RpcMethod.Kind kind) {
        RpcMethod method = RpcMethod.of(request.method())
                .filter(m -> m.kind() == kind)
                .orElseThrow(() -> Fault.of(FaultCode.UNREG, "no RPC has number %d", request.method())
                        .asException());
        if (!method.mayBeCalledBy(peer.role()) || !allowed.contains(method)) {
            parts.audit().refused(method, peer, request.rank(), request.body(), FaultCode.NO_PERM);
            throw Fault.of(FaultCode.NO_PERM, "%s may not be called by role %s", method, peer.role())
                    .with("method", method)
                    .with("role", peer.role())
                    .asException();
        }
        Envelope.checkSizes(
                method, request.body().remaining(), payload.sliceData().readableBytes());
        // a client has no say in what time it is: epochs are chosen by servers
        if (peer.role() == Role.SERVER) parts.hlc().merge(request.hlc());
        return method;
    }

    private static ByteBuffer copy(ByteBuffer from) {
        ByteBuffer to = ByteBuffer.allocate(from.remaining());
        return to.put(from).flip();
    }

    private static ByteBuffer direct(ByteBuffer data) {
        if (data.isDirect()) return data;
        return ByteBuffer.allocateDirect(data.remaining()).put(data).flip();
    }
}
