package io.daosmesh.model.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.limit.MessageLimits;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What a service answers for one rank, or for its node: registered together, withdrawn together. Owner: whoever made it. Handlers get
 * the request parsed and measured, answer on any thread, and may throw: an unreadable request is refused with PROTO.
 */
public final class Registrations implements AutoCloseable {
    /** Parses and measures a request; what it throws is the refusal. */
    @FunctionalInterface
    public interface Reader<Q> {
        Q read(ByteBuffer body) throws InvalidProtocolBufferException;
    }

    private final RpcServer server;
    private final int rank;
    private final MessageLimits limits;
    private final List<RpcServer.Registration> open = new ArrayList<>();

    /**
     * @param rank may be {@link Endpoint#NODE}
     * @param limits of every request that has no reader of its own
     */
    public Registrations(RpcServer server, int rank, MessageLimits limits) {
        this.server = server;
        this.rank = rank;
        this.limits = limits;
    }

    public <Q extends Message> void on(
            RpcMethod method, Parser<Q> parser, Function<Q, Mono<? extends MessageLite>> handler) {
        onFrom(method, parser, (request, peer) -> handler.apply(request));
    }

    /** Where the answer depends on who asks. */
    public <Q extends Message> void onFrom(
            RpcMethod method, Parser<Q> parser, BiFunction<Q, RpcCall.Peer, Mono<? extends MessageLite>> handler) {
        onData(
                method,
                body -> limits.parse(parser, body),
                (request, call) -> handler.apply(request, call.peer()).map(RpcMessage::of));
    }

    /** Where requests or replies carry bulk bytes, or are read in a way of their own. */
    public <Q> void onData(RpcMethod method, Reader<Q> reader, BiFunction<Q, RpcCall, Mono<RpcMessage>> handler) {
        open.add(server.register(rank, method, call -> {
            try {
                return handler.apply(read(reader, call), call);
            } catch (RuntimeException e) {
                return Mono.error(e);
            }
        }));
    }

    public <Q extends Message> void onStream(
            RpcMethod method, Parser<Q> parser, BiFunction<Q, RpcCall.Peer, Flux<RpcMessage>> handler) {
        open.add(server.registerStream(
                rank,
                method,
                call -> Flux.defer(() -> handler.apply(read(body -> limits.parse(parser, body), call), call.peer()))));
    }

    private static <Q> Q read(Reader<Q> reader, RpcCall call) {
        try {
            return reader.read(call.body());
        } catch (InvalidProtocolBufferException e) {
            throw Fault.of(FaultCode.PROTO, "unreadable %s request", call.method())
                    .asException();
        }
    }

    /** Requests under way finish. */
    @Override
    public void close() {
        open.forEach(RpcServer.Registration::close);
        open.clear();
    }
}
