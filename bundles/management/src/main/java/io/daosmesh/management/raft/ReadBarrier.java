package io.daosmesh.management.raft;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftConfiguration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Whether nobody has led the group in a later term before some moment after the question: a majority of the voters is still
 * in the leader's term (Raft thesis 6.4, without its clock and without its heartbeats; see docs/decisions/0018). Immutable.
 *
 * @param self the replica that leads
 * @param term the one it leads in, read after the question came
 * @param voters of its newest configuration
 */
record ReadBarrier(RaftPeerId self, long term, RaftConfiguration voters) {
    /**
     * Asks the other voters for their terms and waits for as many as it takes. Any thread. Faults: NOTLEADER when a later term
     * has begun, AGAIN when too few answered.
     *
     * @param termOf the term a voter is in at some moment after the call
     */
    Mono<Void> confirm(Function<RaftPeerId, Mono<Long>> termOf) {
        return Flux.fromIterable(others())
                .flatMap(peer -> ask(peer, termOf))
                .concatMap(a ->
                        a.term > term ? Mono.error(Fault.of(FaultCode.NOTLEADER).asException()) : Mono.just(a))
                .scan(Set.of(self), ReadBarrier::with)
                .filter(this::isEnough)
                .next()
                .switchIfEmpty(Mono.error(Fault.of(FaultCode.AGAIN, "no majority of the replicas confirms the term")
                        .asException()))
                .then();
    }

    private record Answer(RaftPeerId peer, long term) {}

    /** Goes on when nobody waits any more: an answer that comes late must not become a dropped error. */
    private static Mono<Answer> ask(RaftPeerId peer, Function<RaftPeerId, Mono<Long>> termOf) {
        return Mono.fromFuture(
                () -> termOf.apply(peer)
                        .map(t -> new Answer(peer, t))
                        .onErrorResume(e -> Mono.empty())
                        .toFuture(),
                true);
    }

    private List<RaftPeerId> others() {
        return Stream.of(voters.getCurrentPeers(), voters.getPreviousPeers())
                .flatMap(Collection::stream)
                .map(RaftPeer::getId)
                .filter(p -> !p.equals(self))
                .distinct()
                .toList();
    }

    private static Set<RaftPeerId> with(Set<RaftPeerId> agreed, Answer a) {
        Set<RaftPeerId> more = new LinkedHashSet<>(agreed);
        more.add(a.peer);
        return more;
    }

    /** While the voters are being changed, of the old and of the new ones. */
    private boolean isEnough(Set<RaftPeerId> agreed) {
        return isMajority(agreed, voters.getCurrentPeers())
                && (voters.getPreviousPeers().isEmpty() || isMajority(agreed, voters.getPreviousPeers()));
    }

    private static boolean isMajority(Set<RaftPeerId> agreed, Collection<RaftPeer> of) {
        return of.stream().filter(p -> agreed.contains(p.getId())).count() > of.size() / 2;
    }
}
