package io.daosmesh.admin;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Nodes in memory: what each answers to each method. A node without answers is unreachable. */
final class FakeRpc implements Rpc {
    private final Map<String, Function<MessageLite, MessageLite>> answers = new ConcurrentHashMap<>();
    final List<String> calls = new CopyOnWriteArrayList<>();
    final List<MessageLite> requests = new CopyOnWriteArrayList<>();

    FakeRpc on(String address, RpcMethod method, Function<MessageLite, MessageLite> answer) {
        answers.put(address + " " + method, answer);
        return this;
    }

    FakeRpc refuse(String address, RpcMethod method, Fault fault) {
        return on(address, method, r -> {
            throw fault.asException();
        });
    }

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        return Mono.fromCallable(() -> {
            calls.add(to.address() + " " + method);
            requests.add(request.body());
            Function<MessageLite, MessageLite> answer = answers.get(to.address() + " " + method);
            if (answer == null)
                throw Fault.of(FaultCode.UNREACH, "%s refuses", to.address()).asException();
            ByteBuffer body = ByteBuffer.wrap(answer.apply(request.body()).toByteArray());
            return decoder.decode(new RpcReply(body, RpcMessage.NO_DATA));
        });
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        return Mono.empty();
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        return call(to, method, request, Duration.ofSeconds(1), decoder).flux();
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        return () -> {};
    }
}
