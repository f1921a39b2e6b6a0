package io.daosmesh.management.node;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.raft.WholeFile;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.ErasePlan;
import io.daosmesh.management.system.service.SystemEraser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EraseNodeRequest;
import io.daosmesh.model.wire.EraseNodeRequest.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A node's part in the erasure of the system, see {@link SystemEraser}. From the moment it is written down no Raft log opens and no
 * rank joins here. Once it is committed the node starts its management anew and wipes: superblocks first, then the Raft logs, then
 * what is written down; a crash on the way leaves it to the next start. Any thread; what is written is guarded by this.
 */
final class Erasure implements SystemEraser.Local {
    private static final Logger LOG = LoggerFactory.getLogger(Erasure.class);
    private static final int MAGIC = 0x45524153; // "ERAS"

    /** The answer is on its way by then. */
    private static final Duration RESTART_AFTER = Duration.ofMillis(200);

    private final NodeContext node;
    private final KnownServers servers;
    private final Engines engines;
    private final WholeFile<EraseNodeRequest> file;
    /** What was written down when management started: nothing of the old system is in memory then. */
    private final boolean isMarkedFromStart;
    /** It had been stopped for an erasure that was called off. */
    private final boolean isCalledOff;

    private final AtomicBoolean isWiping = new AtomicBoolean();
    private volatile @Nullable EraseNodeRequest mark;
    private volatile Runnable restart = () -> {};

    /** What it needs of the rest of management. */
    interface Engines {
        List<StorageAdmin> storages();

        /** Engines whose rank serves or is about to. */
        List<StorageAdmin> joined();

        /** Blocks for the disk. */
        void closeRaft();
    }

    Erasure(NodeContext node, KnownServers servers, Engines engines) {
        this.node = node;
        this.servers = servers;
        this.engines = engines;
        this.file = new WholeFile<>(
                node.config().metadataDir().resolve("erase"),
                MAGIC,
                EraseNodeRequest.parser(),
                "remove it, start the node, and run dmg system erase again");
        Optional<EraseNodeRequest> found = file.read();
        this.isCalledOff = found.filter(m -> m.getPhase() == Phase.CANCEL).isPresent();
        if (isCalledOff) file.delete();
        this.mark = isCalledOff ? null : found.orElse(null);
        this.isMarkedFromStart = mark != null;
        if (isMarkedFromStart)
            LOG.warn("the system is being erased: nothing starts here before that is finished (dmg system erase)");
    }

    void register(Registrations r) {
        r.onFrom(RpcMethod.ERASE_NODE, EraseNodeRequest.parser(), this::onRequest);
    }

    /** @param action starts management anew, on a thread of its own */
    void onRestart(Runnable action) {
        restart = action;
    }

    boolean isMarked() {
        return mark != null;
    }

    /** Ranks stay stopped, as they were, until they are started. */
    boolean keepsStopped() {
        return isCalledOff;
    }

    @Override
    public Optional<EraseNodeRequest> plan() {
        return Optional.ofNullable(mark).filter(m -> m.getPhase() != Phase.CANCEL);
    }

    private Mono<Empty> onRequest(EraseNodeRequest r, RpcCall.Peer peer) {
        servers.requireReplica(peer);
        return apply(r);
    }

    @Override
    public Mono<Empty> apply(EraseNodeRequest r) {
        return Mono.fromCallable(() -> {
                    Ids.uuid(r.getId());
                    r.getEnginesList().forEach(Ids::uuid);
                    switch (r.getPhase()) {
                        case PREPARE -> prepare(r);
                        case COMMIT -> commit(r);
                        case CANCEL -> cancel(r);
                        case UNRECOGNIZED ->
                            throw Fault.of(FaultCode.INVAL, "unknown phase of an erasure")
                                    .asException();
                    }
                    return Empty.getDefaultInstance();
                })
                .subscribeOn(node.loop().blocking());
    }

    private synchronized void prepare(EraseNodeRequest r) {
        EraseNodeRequest now = mark;
        if (now != null && now.getPhase() == Phase.COMMIT) return;
        List<Integer> serving =
                engines.joined().stream().flatMap(s -> s.rank().stream()).toList();
        if (!serving.isEmpty())
            throw Fault.of(FaultCode.BUSY, "ranks %s serve there", serving)
                    .remedy("run dmg system stop first")
                    .asException();
        if (engines.storages().stream().anyMatch(s -> s.state() == StorageAdmin.State.STARTING))
            throw Fault.of(FaultCode.AGAIN, "its storage is still starting").asException();
        if (isOfAnother(r)) return;
        EraseNodeRequest next = r.toBuilder().setPhase(Phase.PREPARE).build();
        file.write(next);
        mark = next;
        engines.closeRaft();
        LOG.warn("prepared to be erased");
    }

    /** It has been formatted since, for a system that has nothing to do with this one. */
    private boolean isOfAnother(EraseNodeRequest r) {
        List<UUID> here = formatted();
        return !here.isEmpty() && here.stream().noneMatch(u -> ErasePlan.names(r, u));
    }

    private List<UUID> formatted() {
        return engines.storages().stream()
                .filter(s -> s.state() == StorageAdmin.State.READY)
                .flatMap(s -> s.engineUuid().stream())
                .toList();
    }

    private synchronized void commit(EraseNodeRequest r) {
        EraseNodeRequest now = plan().orElse(null);
        if (now == null) {
            if (formatted().stream().noneMatch(u -> ErasePlan.names(r, u))) return;
            throw Fault.of(FaultCode.AGAIN, "it has not been prepared").asException();
        }
        requireSame(now, r);
        if (now.getPhase() == Phase.COMMIT) return;
        EraseNodeRequest next = now.toBuilder().setPhase(Phase.COMMIT).build();
        file.write(next);
        mark = next;
        restartSoon();
    }

    private synchronized void cancel(EraseNodeRequest r) {
        Optional<EraseNodeRequest> now = plan();
        if (now.isEmpty()) return;
        requireSame(now.get(), r);
        callOff(now.get());
    }

    /** The leader starts ranks here: a system that has a leader is not erased. AGAIN: management starts anew first. */
    synchronized void releaseForStart() {
        EraseNodeRequest now = mark;
        if (now == null) return;
        if (now.getPhase() == Phase.COMMIT)
            throw Fault.of(FaultCode.BUSY, "the node is being erased").asException();
        if (now.getPhase() == Phase.PREPARE) callOff(now);
        throw Fault.of(FaultCode.AGAIN, "the node had been prepared to be erased, and starts anew")
                .remedy("run the command again")
                .asException();
    }

    private void callOff(EraseNodeRequest now) {
        if (now.getPhase() == Phase.COMMIT)
            throw Fault.of(FaultCode.STALE, "the erasure cannot be called off any more")
                    .asException();
        EraseNodeRequest next = now.toBuilder().setPhase(Phase.CANCEL).build();
        file.write(next);
        mark = next;
        LOG.info("not to be erased after all");
        restartSoon();
    }

    private static void requireSame(EraseNodeRequest now, EraseNodeRequest r) {
        if (now.getId().equals(r.getId())) return;
        throw Fault.of(FaultCode.STALE, "another erasure is under way").asException();
    }

    private void restartSoon() {
        node.loop().after(RESTART_AFTER, () -> restart.run());
    }

    /** Wipes, once it may and every engine has said what it holds; tried again with the next tick. */
    void onTick() {
        EraseNodeRequest now = mark;
        if (now == null || !isMarkedFromStart) return;
        boolean isDue = now.getPhase() == Phase.COMMIT || isOfAnother(now);
        boolean isKnown = engines.storages().size() == node.config().engines().size()
                && engines.storages().stream().noneMatch(s -> s.state() == StorageAdmin.State.STARTING);
        if (!isDue || !isKnown || !isWiping.compareAndSet(false, true)) return;
        Flux.fromIterable(engines.storages())
                .concatMap(s -> s.engineUuid()
                        .filter(u -> ErasePlan.names(now, u))
                        .map(s::erase)
                        .orElseGet(Mono::empty))
                .then(Mono.fromRunnable(this::forget).subscribeOn(node.loop().blocking()))
                .doFinally(s -> isWiping.set(false))
                .subscribe(
                        ok -> {},
                        e -> LOG.error(
                                "cannot wipe: {}", FaultException.faultOf(e).message()));
    }

    private synchronized void forget() {
        deleteTree(node.config().metadataDir().resolve("raft"));
        file.delete();
        mark = null;
        LOG.warn(
                "the system {} is erased here: the storage awaits its format",
                node.config().system());
    }

    private static void deleteTree(Path folder) {
        if (!Files.exists(folder)) return;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path p : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(p);
        } catch (IOException e) {
            throw Fault.of(FaultCode.IO, "cannot delete %s: %s", folder, String.valueOf(e.getMessage()))
                    .asException();
        }
    }
}
