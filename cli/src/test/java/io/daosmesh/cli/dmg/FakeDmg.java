package io.daosmesh.cli.dmg;

import com.google.protobuf.MessageLite;
import io.daosmesh.admin.AdminCalls;
import io.daosmesh.cli.metrics.MetricsAccess;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.SystemQueryReply;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** dmg in this process, before nodes that all answer alike: words in, text and status out. */
class FakeDmg {
    static final DmgConfig CONFIG = new DmgConfig(
            "daos_server",
            10001,
            List.of("127.0.0.1:10001", "127.0.0.1:10002", "127.0.0.1:10003"),
            new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty()),
            MetricsAccess.PLAIN);

    final Map<RpcMethod, Function<MessageLite, MessageLite>> answers = new EnumMap<>(RpcMethod.class);
    final Map<RpcMethod, Function<MessageLite, Flux<? extends MessageLite>>> streams = new EnumMap<>(RpcMethod.class);
    int calls;
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    Path folder;

    int dmg(String... words) {
        return dmg(stream(out), words);
    }

    int dmg(PrintStream to, String... words) {
        DmgRoot root = new DmgRoot(to, stream(err));
        root.use(folder);
        root.use(CONFIG, new AdminCalls(new Nodes(), CONFIG.hosts(), Duration.ofSeconds(1), Duration.ofSeconds(1)));
        return Dmg.run(root, words);
    }

    /** Every node answers alike; a method without an answer means that nobody is there. */
    private final class Nodes implements Rpc {
        @Override
        public <T> Mono<T> call(
                Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
            calls++;
            return Mono.fromCallable(() -> {
                Function<MessageLite, MessageLite> answer = answers.get(method);
                if (answer == null)
                    throw Fault.of(FaultCode.UNREACH, "nobody there").asException();
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
            Function<MessageLite, Flux<? extends MessageLite>> answer = streams.get(method);
            if (answer == null) return Flux.empty();
            return answer.apply(request.body()).map(part -> decoded(decoder, part));
        }

        @Override
        public AutoCloseable onPeerClosed(PeerListener listener) {
            return () -> {};
        }
    }

    private static <T> T decoded(RpcReply.Decoder<T> decoder, MessageLite part) {
        try {
            return decoder.decode(new RpcReply(ByteBuffer.wrap(part.toByteArray()), RpcMessage.NO_DATA));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static String text(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8);
    }

    static PrintStream stream(ByteArrayOutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }

    static SystemQueryReply members() {
        GroupMapMessage.Builder map = GroupMapMessage.newBuilder().setVersion(3).setSystem("daos_server");
        for (int rank = 0; rank < 3; rank++) {
            map.addMembers(MemberMessage.newBuilder()
                    .setRank(rank)
                    .setUuid(Ids.bytes(new UUID(0, rank)))
                    .setAddress("127.0.0.1:1000" + (rank + 1))
                    .setTargetCount(2)
                    .setState((rank == 2 ? MemberState.EXCLUDED : MemberState.JOINED).toWire()));
        }
        return SystemQueryReply.newBuilder().setGroupMap(map).build();
    }
}
