package io.daosmesh.management.system.service;

import io.daosmesh.management.log.LostVoters;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.management.raft.RaftHost;
import io.daosmesh.management.raft.Voter;
import io.daosmesh.management.system.SystemBeginning;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Sees to it that the access points have the replicas of the management service: the first one begins it, the leader lets in the
 * others, one at a time, and makes those anew that have lost their logs. Owner: management loop.
 */
public final class SystemReplicas {
    private static final Logger LOG = LoggerFactory.getLogger(SystemReplicas.class);
    private static final Duration CHANGE_MAX = Duration.ofSeconds(20);
    private static final Duration ASK_MAX = Duration.ofSeconds(3);
    /** Longer than a question whether a voter is lost takes. */
    private static final long LOOK_NS = Duration.ofSeconds(2).toNanos();

    private final NodeContext node;
    private final SystemService system;
    private final Here here;
    private final LostVoters lost = new LostVoters();
    private boolean isBusy;
    private long lookedNs = System.nanoTime();
    private int nextMissing;
    private String reason = "";

    /** What is on this node. */
    public interface Here {
        /** Null until the storage is formatted. */
        @Nullable
        RaftHost raft();

        /** A storage of the node has a rank, or replaces one that had; empty: not known yet. */
        Optional<Boolean> isOfSystem();
    }

    public SystemReplicas(NodeContext node, SystemService system, Here here) {
        this.node = node;
        this.system = system;
        this.here = here;
    }

    public void look() {
        RaftHost raft = here.raft();
        if (raft == null || isBusy || !node.config().isReplica()) return;
        RaftGroup group = system.group();
        if (group == null) begin(raft);
        else if (group.isLeader()) keep(group);
        else follow();
    }

    private void follow() {
        lost.forget();
        tell("");
    }

    private void begin(RaftHost raft) {
        Optional<Boolean> isOfSystem = here.isOfSystem();
        boolean isBeingOpened = raft.isChanging() || raft.holds(system.id());
        if (isOfSystem.isEmpty() || isBeingOpened) return;
        SystemBeginning.Seen seen = new SystemBeginning.Seen(
                node.address(), node.config().replicas(), raft.hasForgotten(system.id()), isOfSystem.get());
        Optional<String> refusal = SystemBeginning.refusal(seen);
        if (refusal.isPresent()) {
            tell(refusal.get());
            return;
        }
        run(
                "begin the management service",
                () -> othersHaveNone(raft).flatMap(may -> may ? found(raft) : Mono.empty()));
    }

    /** A node that does not answer may have it. */
    private Mono<Boolean> othersHaveNone(RaftHost raft) {
        return Flux.fromIterable(node.config().replicas())
                .filter(a -> !a.equals(node.address()))
                .concatMap(a -> raft.holds(system.id(), a)
                        .timeout(ASK_MAX)
                        .map(has -> has
                                ? "the management service has a replica on " + a + ", whose leader is waited for"
                                : "")
                        .onErrorResume(e -> Mono.just("the management service has not begun: access point " + a
                                + " has to be formatted and to answer: "
                                + FaultException.faultOf(e).message())))
                .filter(why -> !why.isEmpty())
                .next()
                .publishOn(node.loop().scheduler())
                .doOnNext(this::tell)
                .map(why -> false)
                .defaultIfEmpty(true);
    }

    private Mono<Void> found(RaftHost raft) {
        return Mono.<Void>fromRunnable(() -> {
                    Voter self = Voter.fresh(node.address());
                    system.attach(raft.add(system.id(), self.identity(), List.of(self)));
                })
                .subscribeOn(node.loop().blocking())
                .publishOn(node.loop().scheduler())
                .doOnSuccess(ok -> LOG.info(
                        "begins the management service of {}", node.config().system()));
    }

    /** One step a look. */
    private void keep(RaftGroup group) {
        Optional<List<String>> voters = group.members();
        if (voters.isEmpty()) return;
        tell("");
        Set<String> missing = new TreeSet<>(node.config().replicas());
        voters.get().forEach(missing::remove);
        if (!missing.isEmpty()) {
            String next = List.copyOf(missing).get(Math.floorMod(nextMissing++, missing.size()));
            List<String> more = new ArrayList<>(voters.get());
            more.add(next);
            run("let in the replica on " + next, () -> group.changeMembers(more, Set.of(), CHANGE_MAX));
            return;
        }
        Optional<String> renewed = lost.next(voters.get()).filter(a -> !a.equals(node.address()));
        if (renewed.isPresent()) {
            LOG.warn("the replica of the management service on {} is lost and made anew", renewed.get());
            run(
                    "make the replica on " + renewed.get() + " anew",
                    () -> group.changeMembers(voters.get(), Set.of(renewed.get()), CHANGE_MAX));
            return;
        }
        if (System.nanoTime() - lookedNs < LOOK_NS) return;
        run(
                "look for lost replicas",
                () -> group.lostVoters().publishOn(node.loop().scheduler()).doOnNext(found -> {
                    lookedNs = System.nanoTime();
                    lost.onLook(found);
                }));
    }

    private void run(String what, Supplier<Mono<?>> work) {
        isBusy = true;
        Mono.defer(work)
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> isBusy = false))
                .subscribe(ok -> {}, e -> Loop.drop(what, e));
    }

    /** What administrators are told while nobody leads. */
    private void tell(String why) {
        if (reason.equals(why)) return;
        reason = why;
        system.onAbsence(why);
        if (!why.isEmpty()) LOG.info("{}", why);
    }
}
