package io.daosmesh.client.request;

import com.google.protobuf.MessageLite;
import io.daosmesh.client.hedge.Watch;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** What the client knows about the servers: the group map, and which of them answered last. Any thread: atomic words. */
public final class Cluster {
    /** Servers asked in one round: with more dead ones than this in a row there is no system to speak of. */
    private static final int ASKED_MAX = 16;

    /** While there are others to ask: one that is frozen must not hold up what all of them know. */
    private static final Duration ASK_LIMIT = Duration.ofSeconds(1);

    private static final Duration ASK_LAST_LIMIT = Duration.ofSeconds(3);

    /** So long one alone is asked: whoever waits for a map waits because some server is silent, often enough this one. */
    private static final Duration ASK_ALONE = Duration.ofMillis(200);

    private final CallSettings config;
    private final Counters counters;
    private final Retrying retrying;
    private final Watch watch;
    private final AtomicReference<GroupMap> groupMap = new AtomicReference<>(new GroupMap("", 0, List.of()));
    private final SingleFlight<GroupMap> refreshing = new SingleFlight<>();
    private volatile String answeredLast = "";

    public Cluster(CallSettings config) {
        this.config = config;
        this.counters = new Counters();
        this.retrying = new Retrying(config, counters);
        this.watch = new Watch(System::nanoTime, Schedulers.parallel(), counters.hedges, counters.hedgesWon);
    }

    public CallSettings config() {
        return config;
    }

    public Counters counters() {
        return counters;
    }

    public Retrying retrying() {
        return retrying;
    }

    public GroupMap groupMap() {
        return Objects.requireNonNull(groupMap.get());
    }

    public Watch watch() {
        return watch;
    }

    /** Takes a map from whatever answer carried one; never goes back. */
    public void offer(GroupMapMessage message) {
        if (message.getVersion() == 0) return;
        groupMap.updateAndGet(have -> message.getVersion() > have.version() ? GroupMap.fromWire(message) : have);
    }

    /** Asks one server after the other for a newer group map. */
    public Mono<GroupMap> refresh() {
        return refreshing.join(() -> Mono.defer(() -> askAny(
                        RpcMethod.GROUP_MAP,
                        GroupMapRequest.newBuilder()
                                .setKnownVersion(groupMap().version())
                                .build(),
                        reply -> GroupMapMessage.parseFrom(reply.body())))
                .map(message -> {
                    offer(message);
                    return groupMap();
                }));
    }

    /** Where a rank listens; OOG while the group map does not have it. */
    public Endpoint endpoint(int rank) {
        return groupMap()
                .member(rank)
                .map(member -> Endpoint.rank(member.address(), rank))
                .orElseThrow(() -> Fault.of(FaultCode.OOG, "rank %d is not in the group map", rank)
                        .with("group_map", groupMap().version())
                        .asException());
    }

    /**
     * One round over the servers, the last good one first, until one gives an answer that another would not better. The next one
     * is asked as soon as one has refused, and beside one that takes its time.
     */
    public <T> Mono<T> askAny(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return Mono.defer(() -> ask(servers(), 0, method, request, decoder));
    }

    private <T> Mono<T> ask(
            List<String> servers, int index, RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        String address = servers.get(index);
        boolean isLast = index + 1 == servers.size();
        Mono<T> asked = config.rpc()
                .call(
                        Endpoint.node(address),
                        method,
                        RpcMessage.of(request),
                        isLast ? ASK_LAST_LIMIT : ASK_LIMIT,
                        decoder)
                .publishOn(Schedulers.parallel())
                .doOnSuccess(answer -> answeredLast = address);
        if (isLast) return asked;
        Mono<T> once = asked.cache();
        Mono<T> others = Mono.firstWithSignal(
                        Mono.delay(ASK_ALONE).then(), once.then().onErrorComplete())
                .then(Mono.defer(() -> ask(servers, index + 1, method, request, decoder)))
                .onErrorResume(Cluster::mayOthersKnow, e -> once);
        return Mono.firstWithSignal(once.onErrorResume(Cluster::mayOthersKnow, e -> Mono.never()), others);
    }

    private static boolean mayOthersKnow(Throwable refusal) {
        return FaultException.faultOf(refusal).code().retry() != FaultCode.Retry.NEVER;
    }

    private List<String> servers() {
        Set<String> all = new LinkedHashSet<>();
        String last = answeredLast;
        if (!last.isEmpty()) all.add(last);
        all.addAll(config.addresses());
        for (Member member : groupMap().members()) {
            if (member.state().isInGroup()) all.add(member.address());
        }
        List<String> list = new ArrayList<>(all);
        return list.size() > ASKED_MAX ? list.subList(0, ASKED_MAX) : list;
    }
}
