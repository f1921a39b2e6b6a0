package io.daosmesh.engine.runtime;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.port.RpcReply;
import io.daosmesh.model.wire.HandleCheckReply;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/** What an engine asks of the service of a pool, wherever its leader is. One round over the replicas a call. Any thread. */
final class PoolServiceCalls {
    private static final Duration ONE_TRY = Duration.ofMillis(2500);
    /** For reads that wait: a replica that is silent must not hold them up. */
    private static final Duration READ_TRY = Duration.ofMillis(400);
    /** Replicas asked beyond the first ones named: followed hints. */
    private static final int HINTS_MAX = 3;

    private final EngineContext context;
    private final RankIdentity identity;
    /** Who has answered for a pool last. */
    private final Map<UUID, String> leaders = new ConcurrentHashMap<>();

    PoolServiceCalls(EngineContext context, RankIdentity identity) {
        this.context = context;
        this.identity = identity;
    }

    /** Changes targets of this rank; answers the version of the new map. RF: the pool cannot spare them. */
    Mono<Integer> change(UUID pool, PoolTargetsRequest.Op change, Set<Integer> indexes, String requestId) {
        PoolTargetsRequest request = PoolTargetsRequest.newBuilder()
                .setPool(pool.toString())
                .setOp(change)
                .addRanks(identity.rank())
                .addAllTargetIndexes(indexes)
                .setRequestId(requestId)
                .build();
        return find(pool)
                .flatMap(found -> ask(
                        new Round<>(
                                RpcMethod.POOL_TARGETS,
                                request,
                                r -> PoolTargetsReply.parseFrom(r.body()).getMapVersion(),
                                ONE_TRY),
                        queue(replicas(found))));
    }

    private Mono<PoolFindReply> find(UUID pool) {
        return Mono.defer(() -> ask(
                new Round<>(
                        RpcMethod.POOL_FIND,
                        PoolRef.newBuilder().setPool(pool.toString()).build(),
                        r -> PoolFindReply.parseFrom(r.body()),
                        ONE_TRY),
                queue(everyNode())));
    }

    /** Version of the pool's newest map at some moment after the subscription: the service reads linearizably. */
    Mono<Integer> newestMap(UUID pool) {
        PoolMapRequest request =
                PoolMapRequest.newBuilder().setPool(Ids.bytes(pool)).build();
        return find(pool)
                .flatMap(found -> ask(
                        new Round<>(
                                RpcMethod.POOL_MAP,
                                request,
                                r -> PoolMapMessage.parseFrom(r.body()).getVersion(),
                                READ_TRY),
                        queue(ownFirst(replicas(found).toList()))));
    }

    /** What the pool's leader knows of container handles; whoever led last is asked first. */
    Mono<HandleCheckReply> handles(UUID pool, List<ByteString> handles) {
        HandleCheckRequest request = HandleCheckRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .addAllHandles(handles)
                .build();
        Round<HandleCheckReply> round =
                new Round<>(RpcMethod.HANDLE_CHECK, request, r -> HandleCheckReply.parseFrom(r.body()), READ_TRY);
        Mono<HandleCheckReply> searched = find(pool)
                .flatMap(found ->
                        noting(pool, round, queue(ownFirst(replicas(found).toList()))));
        return Mono.defer(() -> {
            String led = leaders.get(pool);
            if (led == null) return searched;
            return noting(pool, round, queue(Stream.of(led))).onErrorResume(PoolServiceCalls::isForAnother, e -> {
                leaders.remove(pool, led);
                return searched;
            });
        });
    }

    private <T> Mono<T> noting(UUID pool, Round<T> round, Todo todo) {
        return ask(round, todo).doOnNext(answer -> leaders.put(pool, todo.asked));
    }

    private static boolean isForAnother(Throwable e) {
        return FaultException.faultOf(e).code().retry() != FaultCode.Retry.NEVER;
    }

    void forget(UUID pool) {
        leaders.remove(pool);
    }

    private record Round<T>(RpcMethod method, MessageLite body, RpcReply.Decoder<T> decoder, Duration max) {}

    /** Addresses still to ask, and how many more may be added. */
    private static final class Todo {
        private final Deque<String> addresses;
        private int hintsLeft = HINTS_MAX;
        /** The last one. */
        private volatile String asked = "";

        Todo(Deque<String> addresses) {
            this.addresses = addresses;
        }
    }

    private static Todo queue(Stream<String> addresses) {
        return new Todo(new ArrayDeque<>(addresses.distinct().toList()));
    }

    /** The own node first: it costs nothing and knows who leads. */
    private Stream<String> everyNode() {
        return Stream.concat(
                Stream.of(identity.address()),
                context.maps().groupMap().members().stream()
                        .filter(m -> m.state().isInGroup())
                        .map(Member::address));
    }

    /** It does not wait for a silent one and knows who leads. */
    private Stream<String> ownFirst(List<String> replicas) {
        Stream<String> own = Stream.of(identity.address()).filter(replicas::contains);
        return Stream.concat(own, replicas.stream());
    }

    private static Stream<String> replicas(PoolFindReply found) {
        GroupMap group = GroupMap.fromWire(found.getGroupMap());
        List<Integer> ranks = found.getEntry().getServiceRanksList();
        return ranks.stream().flatMap(r -> group.member(r).stream()).map(Member::address);
    }

    private <T> Mono<T> ask(Round<T> round, Todo todo) {
        String to = todo.addresses.poll();
        if (to == null)
            return Mono.error(Fault.of(FaultCode.NO_SERVICE, "no leader answers %s", round.method)
                    .asException());
        todo.asked = to;
        return context.rpc()
                .call(Endpoint.node(to), round.method, RpcMessage.of(round.body), round.max, round.decoder)
                .onErrorResume(e -> {
                    Fault f = FaultException.faultOf(e);
                    if (f.code().retry() == FaultCode.Retry.NEVER) return Mono.error(e);
                    f.argument("leader")
                            .filter(h -> !h.isEmpty() && !h.equals(to) && todo.hintsLeft-- > 0)
                            .ifPresent(todo.addresses::addFirst);
                    return todo.addresses.isEmpty() ? Mono.error(e) : ask(round, todo);
                });
    }
}
