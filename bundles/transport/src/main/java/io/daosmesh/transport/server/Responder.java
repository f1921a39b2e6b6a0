package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.port.RpcCall;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Outgoing;
import io.netty.buffer.ByteBuf;
import io.rsocket.Payload;
import io.rsocket.RSocket;
import java.nio.ByteBuffer;
import java.util.Set;
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

    private static final Logger log = LoggerFactory.getLogger(Responder.class);

    private final Parts parts;
    private final RpcCall.Peer peer;
    private final Set<RpcMethod> allowed;
    private final AtomicInteger underWay = new AtomicInteger();

    /** What all connections of a server share. */
    record Parts(HandlerTable handlers, Hlc hlc, Scheduler deadlines, TransportCounters counters) {}

    /** @param allowed methods this kind of connection carries at all */
    Responder(Parts parts, RpcCall.Peer peer, Set<RpcMethod> allowed) {
        this.parts = parts;
        this.peer = peer;
        this.allowed = allowed;
    }

    Scheduler deadlines() {
        return parts.deadlines();
    }

    Payload refusal(Fault fault) {
        parts.counters().requestsRefused.increment();
        return Envelope.refusal(parts.hlc().now(), fault);
    }

    Payload reply(Outgoing message) {
        int bytes = message.dataBytes();
        Payload payload = Envelope.reply(parts.hlc().now(), message);
        parts.counters().bytesSent.add(bytes);
        return payload;
    }

    void onServed() {
        underWay.decrementAndGet();
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
        try {
            // the request outlives this method for as long as the stream runs: keep a copy, it is small
            Envelope.Request request = Envelope.readRequest(payload);
            RpcMethod method = check(request, RpcMethod.Kind.STREAM);
            RpcCall call = new RpcCall(
                    method,
                    peer,
                    request.rank(),
                    request.deadlineMs(),
                    copy(request.body()),
                    copy(payload.sliceData().nioBuffer()));
            messages = parts.handlers().findStream(request.rank(), method).handle(call);
        } catch (RuntimeException e) {
            return Flux.just(refusal(faultOf(e)));
        } finally {
            payload.release();
        }
        return messages.map(this::streamed).onErrorResume(t -> Flux.just(refusal(faultOf(t))));
    }

    private Payload streamed(RpcMessage message) {
        Outgoing out = new Outgoing(message);
        try {
            return reply(out);
        } finally {
            out.finish();
        }
    }

    private ServedCall serve(Payload payload, RpcMethod.Kind kind) {
        Envelope.Request request = Envelope.readRequest(payload);
        RpcMethod method = check(request, kind);
        ByteBuf data = payload.sliceData();
        RpcCall call = new RpcCall(
                method, peer, request.rank(), request.deadlineMs(), request.body(), direct(data.nioBuffer()));
        if (underWay.incrementAndGet() > REQUESTS_MAX) {
            underWay.decrementAndGet();
            parts.counters().busyRefusals.increment();
            throw Fault.of(FaultCode.BUSY, "too many requests of one connection")
                    .with("max", REQUESTS_MAX)
                    .asException();
        }
        parts.counters().requestsBeingServed.increment();
        parts.counters().bytesReceived.add(data.readableBytes());
        Mono<RpcMessage> handled;
        try {
            handled = parts.handlers().find(request.rank(), method).handle(call);
        } catch (RuntimeException e) {
            handled = Mono.error(e);
        }
        return new ServedCall(this, payload, request.deadlineMs(), handled);
    }

    private RpcMethod check(Envelope.Request request, RpcMethod.Kind kind) {
        RpcMethod method = RpcMethod.of(request.method())
                .filter(m -> m.kind() == kind)
                .orElseThrow(() -> Fault.of(FaultCode.UNREG, "no RPC has number %d", request.method())
                        .asException());
        if (!method.mayBeCalledBy(peer.role()) || !allowed.contains(method)) {
            throw Fault.of(FaultCode.NO_PERM, "%s may not be called by role %s", method, peer.role())
                    .with("method", method)
                    .with("role", peer.role())
                    .asException();
        }
        parts.hlc().merge(request.hlc());
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
