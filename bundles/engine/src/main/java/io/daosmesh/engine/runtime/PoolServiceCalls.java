package io.daosmesh.engine.runtime;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.leader.LeaderSearch;
import io.daosmesh.model.leader.LeaderWalk;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.HandleCheckReply;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** What an engine asks of the service of a pool, wherever its leader is. One round over the replicas a call. Any thread. */
final class PoolServiceCalls {
    private static final Duration ONE_TRY = Duration.ofMillis(2500);
    /** For reads that wait: a replica that is silent must not hold them up. */
    private static final Duration READ_TRY = Duration.ofMillis(400);
    /** One round: whoever waits for it asks again. */
    private static final LeaderSearch.Manner MANNER = new LeaderSearch.Manner(1, 3, false, false, 0, 0);

    /** More than a rank has pools. */
    private static final int HINTS_MAX = 1024;

    private static final Logger log = LoggerFactory.getLogger(PoolServiceCalls.class);

    private final EngineContext context;
    private final RankIdentity identity;
    /** Who has answered for a pool last. */
    private final Map<UUID, String> leaders = new ConcurrentHashMap<>();
    /** Replicas of the pools as they were found last. */
    private final Map<UUID, List<String>> known = new ConcurrentHashMap<>();
    /** Pools whose replicas are being looked for beside what is known. */
    private final Set<UUID> lookedFor = ConcurrentHashMap.newKeySet();

    PoolServiceCalls(EngineContext context, RankIdentity identity) {
        this.context = context;
        this.identity = identity;
    }

    /** Changes targets of this rank; answers the version of the new map. RF: the pool cannot spare them. */
    Mono<Integer> change(UUID pool, PoolTargetsRequest.Op change, Set<Integer> indexes, String requestId) {
        return change(pool, change, indexes, requestId, Idleness.UNTOLD);
    }

    /**
     * What targets that serve nothing any more know of what they took before.
     *
     * @param updatedVersion newest map version by which one of them took an update or was a source since its start; 0 = none
     * @param joinedVersion of a group map that tells of this start; 0 = nothing is known
     */
    record Idleness(int updatedVersion, int joinedVersion) {
        static final Idleness UNTOLD = new Idleness(0, 0);
    }

    /** The same for targets of which somebody else may have all they had. */
    Mono<Integer> change(
            UUID pool, PoolTargetsRequest.Op change, Set<Integer> indexes, String requestId, Idleness idleness) {
        PoolTargetsRequest request = PoolTargetsRequest.newBuilder()
                .setPool(pool.toString())
                .setOp(change)
                .addRanks(identity.rank())
                .addAllTargetIndexes(indexes)
                .setRequestId(requestId)
                .setUpdatedVersion(idleness.updatedVersion)
                .setJoinedVersion(idleness.joinedVersion)
                .build();
        Question<Integer> question = new Question<>(
                RpcMethod.POOL_TARGETS,
                request,
                r -> PoolTargetsReply.parseFrom(r.body()).getMapVersion(),
                ONE_TRY);
        return search(question, find(pool).map(PoolServiceCalls::replicas));
    }

    private Mono<PoolFindReply> find(UUID pool) {
        Question<PoolFindReply> question = new Question<>(
                RpcMethod.POOL_FIND,
                PoolRef.newBuilder().setPool(pool.toString()).build(),
                r -> PoolFindReply.parseFrom(r.body()),
                ONE_TRY);
        return search(question, Mono.fromSupplier(this::everyNode));
    }

    /**
     * Version of the pool's newest map at some moment after the subscription: the service reads linearizably.
     *
     * @param silent ranks that this one waits for in vain; the service looks after them
     */
    Mono<Integer> newestMap(UUID pool, Set<Integer> silent) {
        PoolMapRequest request = PoolMapRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .addAllSilent(silent)
                .build();
        Question<Integer> question = new Question<>(
                RpcMethod.POOL_MAP,
                request,
                r -> PoolMapMessage.parseFrom(r.body()).getVersion(),
                READ_TRY);
        return search(question, replicasOf(pool)).doOnError(e -> learn(pool));
    }

    /**
     * Those that are known, at once: the management service that tells of others may have its leader on the very node that is
     * silent.
     */
    private Mono<List<String>> replicasOf(UUID pool) {
        return Mono.defer(() -> {
            List<String> last = known.get(pool);
            return last != null ? Mono.just(ownFirst(last)) : found(pool).map(this::ownFirst);
        });
    }

    private Mono<List<String>> found(UUID pool) {
        return find(pool).map(PoolServiceCalls::replicas).doOnNext(all -> hint(known, pool, all));
    }

    /** Finds the pool's replicas before somebody needs them. */
    void prepare(UUID pool) {
        if (!known.containsKey(pool)) learn(pool);
    }

    /** Looks for them beside what is known, unless that is under way. */
    private void learn(UUID pool) {
        if (!lookedFor.add(pool)) return;
        found(pool)
                .doFinally(s -> lookedFor.remove(pool))
                .subscribe(
                        all -> {},
                        e -> log.debug(
                                "replicas of pool {}: {}",
                                pool,
                                FaultException.faultOf(e).message()));
    }

    /** What the pool's leader knows of container handles; whoever led last is asked first. */
    Mono<HandleCheckReply> handles(UUID pool, List<ByteString> handles) {
        HandleCheckRequest request = HandleCheckRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .addAllHandles(handles)
                .build();
        Question<HandleCheckReply> question =
                new Question<>(RpcMethod.HANDLE_CHECK, request, r -> HandleCheckReply.parseFrom(r.body()), READ_TRY);
        return Mono.defer(() -> {
            LeaderSearch search = searchFrom(leaders.getOrDefault(pool, ""), question);
            return step(question, search, replicasOf(pool))
                    .doOnNext(answer -> hint(leaders, pool, search.asked()))
                    .doOnError(e -> {
                        leaders.remove(pool);
                        learn(pool);
                    });
        });
    }

    /** An answer may come when its pool is gone, and nobody would ever forget it. */
    private static <T> void hint(Map<UUID, T> hints, UUID pool, T value) {
        if (hints.size() >= HINTS_MAX) hints.clear();
        hints.put(pool, value);
    }

    void forget(UUID pool) {
        leaders.remove(pool);
        known.remove(pool);
    }

    private record Question<T>(RpcMethod method, MessageLite body, RpcReply.Decoder<T> decoder, Duration max) {}

    /** The own node first: it costs nothing and knows who leads. */
    private List<String> everyNode() {
        return Stream.concat(
                        Stream.of(identity.address()),
                        context.maps().groupMap().members().stream()
                                .filter(m -> m.state().isInGroup())
                                .map(Member::address))
                .toList();
    }

    /** It does not wait for a silent one and knows who leads. */
    private List<String> ownFirst(List<String> replicas) {
        Stream<String> own = Stream.of(identity.address()).filter(replicas::contains);
        return Stream.concat(own, replicas.stream()).toList();
    }

    private static List<String> replicas(PoolFindReply found) {
        GroupMap group = GroupMap.fromWire(found.getGroupMap());
        List<Integer> ranks = found.getEntry().getServiceRanksList();
        return ranks.stream()
                .flatMap(r -> group.member(r).stream())
                .map(Member::address)
                .toList();
    }

    private <T> Mono<T> search(Question<T> question, Mono<List<String>> candidates) {
        return Mono.defer(() -> step(question, searchFrom("", question), candidates));
    }

    private static LeaderSearch searchFrom(String leader, Question<?> question) {
        return new LeaderSearch(
                MANNER, leader, Fault.of(FaultCode.NO_SERVICE, "no leader answers %s", question.method));
    }

    private <T> Mono<T> step(Question<T> question, LeaderSearch search, Mono<List<String>> candidates) {
        return new LeaderWalk(search, candidates, () -> Long.MAX_VALUE, Schedulers.parallel())
                .run((to, leftNs) -> context.rpc()
                        .call(
                                Endpoint.node(to),
                                question.method,
                                RpcMessage.of(question.body),
                                question.max,
                                question.decoder));
    }
}
