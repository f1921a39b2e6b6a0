package io.daosmesh.management.runtime;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RpcCall;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.port.RpcServer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The RPCs this node answers for management, registered together and withdrawn together. */
final class Registrations implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Registrations.class);

    private final RpcServer server;
    private final List<AutoCloseable> open = new ArrayList<>();

    Registrations(RpcServer server) {
        this.server = server;
    }

    /** The handler gets the parsed request, within the sizes of {@link RequestLimits}, and answers on any thread. */
    <Q extends Message> void on(RpcMethod method, Parser<Q> parser, Function<Q, Mono<? extends MessageLite>> handler) {
        open.add(server.register(
                Endpoint.NODE,
                method,
                call -> Mono.defer(() -> handler.apply(parse(method, parser, call)))
                        .map(RpcMessage::of)));
    }

    /** The same where the answer depends on who asks. */
    <Q extends Message> void onFrom(
            RpcMethod method, Parser<Q> parser, BiFunction<Q, RpcCall.Peer, Mono<? extends MessageLite>> handler) {
        open.add(server.register(
                Endpoint.NODE,
                method,
                call -> Mono.defer(() -> handler.apply(parse(method, parser, call), call.peer()))
                        .map(RpcMessage::of)));
    }

    void onStream(RpcMethod method, Function<RpcCall, Flux<RpcMessage>> handler) {
        open.add(server.registerStream(Endpoint.NODE, method, handler::apply));
    }

    private static <Q extends Message> Q parse(RpcMethod method, Parser<Q> parser, RpcCall call) {
        try {
            return RequestLimits.ALL.parse(parser, call.body());
        } catch (InvalidProtocolBufferException e) {
            throw Fault.of(FaultCode.PROTO, "unreadable %s request", method).asException();
        }
    }

    @Override
    public void close() {
        for (AutoCloseable a : open) {
            try {
                a.close();
            } catch (Exception e) {
                LOG.warn("registration did not close: {}", e.toString());
            }
        }
        open.clear();
    }
}
