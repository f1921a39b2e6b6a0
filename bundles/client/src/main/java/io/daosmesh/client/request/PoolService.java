package io.daosmesh.client.request;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.leader.LeaderSearch;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Calls to the service of one pool: finds its replicas, follows the hint to the leader. Any thread; every request it sends
 * may be sent again (reads, or changes that carry a request id).
 */
public final class PoolService {
    private static final LeaderSearch.Manner MANNER =
            new LeaderSearch.Manner(Integer.MAX_VALUE, 1, true, false, 10, 500);

    private static final Duration ASK_LIMIT = Duration.ofMillis(400);
    /** Of tries in a row without an answer: all are slow rather than one gone. Each may last twice as long. */
    private static final int DOUBLINGS_MAX = 3;

    private static final Duration FOREVER = Duration.ofDays(1);

    /** Half a second of pauses: a server that has too much to do may have less by then. */
    private static final int BUSY_TRIES_MAX = 6;

    private final Cluster cluster;
    private volatile PoolEntryMessage entry;
    /** Address of the replica that answered as leader last; empty = not known. */
    private volatile String leader = "";

    private PoolService(Cluster cluster, PoolEntryMessage entry) {
        this.cluster = cluster;
        this.entry = entry;
    }

    /** NONEXIST when no such pool is known. */
    public static Mono<PoolService> find(Cluster cluster, String pool) {
        return cluster.retrying()
                .run(
                        state -> ask(cluster, pool).map(found -> new PoolService(cluster, found)),
                        (fault, failed) -> failed.pause());
    }

    private static Mono<PoolEntryMessage> ask(Cluster cluster, String pool) {
        return cluster.askAny(
                        RpcMethod.POOL_FIND,
                        PoolRef.newBuilder().setPool(pool).build(),
                        reply -> PoolFindReply.parseFrom(reply.body()))
                .map(found -> {
                    cluster.offer(found.getGroupMap());
                    if (found.getEntry().getPool().isEmpty()) {
                        throw Fault.of(FaultCode.NONEXIST, "pool '%s' does not exist", pool)
                                .asException();
                    }
                    return found.getEntry();
                });
    }

    public PoolEntryMessage entry() {
        return entry;
    }

    public <T> Mono<T> call(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return call(method, request, decoder, new Patience(Integer.MAX_VALUE, FOREVER));
    }

    /** The same for questions that many wait for, and whose answer is short: a replica that is frozen is given up soon. */
    <T> Mono<T> ask(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return call(method, request, decoder, new Patience(Integer.MAX_VALUE, ASK_LIMIT));
    }

    /** The same for opening: that others have it open may last for ever and is told soon. */
    public <T> Mono<T> open(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return call(method, request, decoder, new Patience(BUSY_TRIES_MAX, FOREVER));
    }

    /**
     * @param busyTriesMax in a row
     * @param oneTry how long one may last at most, if the client's own limit for that is not shorter
     */
    private record Patience(int busyTriesMax, Duration oneTry) {
        Duration limit(Retrying.Try state, int unanswered) {
            Duration own = oneTry.multipliedBy(1L << Math.min(unanswered, DOUBLINGS_MAX));
            Duration most = state.limit();
            return own.compareTo(most) < 0 ? own : most;
        }
    }

    private <T> Mono<T> call(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder, Patience patience) {
        return Mono.defer(() -> {
            Search search = new Search(patience.busyTriesMax);
            return cluster.retrying()
                    .run(
                            state -> cluster.config()
                                    .rpc()
                                    .call(
                                            Endpoint.node(search.address()),
                                            method,
                                            RpcMessage.of(request),
                                            patience.limit(state, search.unanswered),
                                            decoder)
                                    .publishOn(Schedulers.parallel())
                                    .doOnSuccess(answer -> leader = search.leaders.asked()),
                            search);
        });
    }

    /** Who is asked, and what is done before another try. Owner: one call. */
    private final class Search implements Retrying.Recovery {
        private final LeaderSearch leaders = new LeaderSearch(MANNER, leader, Fault.of(FaultCode.TIMEDOUT));
        private final int busyTriesMax;
        /** In a row, but for detours. */
        private int busyTries;
        /** Tries in a row that nobody has answered. */
        private int unanswered;

        Search(int busyTriesMax) {
            this.busyTriesMax = busyTriesMax;
        }

        @Override
        public boolean mayTryAgain(Fault fault) {
            if (fault.code() == FaultCode.BUSY) busyTries++;
            else if (fault.code() != FaultCode.NOTLEADER) busyTries = 0;
            return busyTries <= busyTriesMax && LeaderSearch.mayTryAgain(fault);
        }

        @Override
        public Mono<Void> recover(Fault fault, Retrying.Try failed) {
            unanswered = fault.code() == FaultCode.TIMEDOUT ? unanswered + 1 : 0;
            leaders.onFault(fault);
            leader = leaders.leader();
            return goOn(failed);
        }

        /** Pauses as every other call makes them, of a length that differs from caller to caller. */
        private Mono<Void> goOn(Retrying.Try failed) {
            LeaderSearch.Step step = leaders.next(Long.MAX_VALUE);
            if (step instanceof LeaderSearch.Step.Pause) return failed.pause().then(Mono.defer(() -> goOn(failed)));
            boolean isRoundOver = step instanceof LeaderSearch.Step.Round && leaders.rounds() > 0;
            return isRoundOver ? refreshed() : Mono.empty();
        }

        String address() {
            LeaderSearch.Step step = leaders.next(Long.MAX_VALUE);
            if (step instanceof LeaderSearch.Step.Ask ask) return ask.address();
            if (step instanceof LeaderSearch.Step.GiveUp end) throw end.why().asException();
            leaders.begin(replicas());
            return address();
        }
    }

    private List<String> replicas() {
        Set<String> addresses = new LinkedHashSet<>();
        for (int rank : entry.getServiceRanksList()) {
            cluster.groupMap().member(rank).ifPresent(member -> addresses.add(member.address()));
        }
        if (addresses.isEmpty()) addresses.addAll(cluster.config().addresses());
        return new ArrayList<>(addresses);
    }

    /** The replicas may have moved, or the node that ran them. */
    private Mono<Void> refreshed() {
        return ask(cluster, Ids.uuid(entry.getPool()).toString())
                .doOnNext(found -> entry = found)
                .then()
                .onErrorResume(
                        e -> FaultException.faultOf(e).code().retry() != FaultCode.Retry.NEVER, e -> Mono.empty());
    }
}
