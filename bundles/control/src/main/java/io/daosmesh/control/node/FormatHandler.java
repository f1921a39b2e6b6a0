package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.NodeConfig.Engine;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.StorageFormatReply;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * {@code dmg storage format} on this node: every engine at once, each answering for itself. Formatted storage is refused
 * without force; with force, a system in which any rank is Joined is refused, because its data would be lost. To replace a
 * lost engine only storage is formatted that is not.
 */
final class FormatHandler {
    private static final Logger LOG = LoggerFactory.getLogger(FormatHandler.class);
    /** A node answers its control port before it has found its devices. */
    private static final Duration SETTLE_MAX = Duration.ofSeconds(15);

    private final NodeConfig config;
    private final Engines engines;
    private final Supplier<Optional<Maps>> maps;
    private final Scheduler scheduler;

    FormatHandler(NodeConfig config, Engines engines, Supplier<Optional<Maps>> maps, Scheduler scheduler) {
        this.config = config;
        this.engines = engines;
        this.maps = maps;
        this.scheduler = scheduler;
    }

    /** INVAL for force and replace together. */
    Mono<StorageFormatReply> format(boolean force, boolean replace) {
        if (force && replace)
            return Mono.error(Fault.of(FaultCode.INVAL, "force and replace exclude each other")
                    .asException());
        return engines.settled(config, SETTLE_MAX, scheduler)
                .then(Mono.defer(() -> {
                    if (force) refuseRunningSystem();
                    return Flux.fromIterable(replace ? lost() : config.engines())
                            .flatMapSequential(e -> formatEngine(e, force, replace))
                            .collectList();
                }))
                .map(all -> StorageFormatReply.newBuilder()
                        .setHost(config.address())
                        .addAllResults(all.stream().flatMap(List::stream).toList())
                        .build());
    }

    /** What awaits a format gets one, as {@code daosmesh.server.format} asks for; the rest is left as it is. Returns at once. */
    void formatNew() {
        engines.settled(config, SETTLE_MAX, scheduler)
                .thenMany(Flux.defer(() -> Flux.fromIterable(config.engines())))
                .filter(this::awaitsFormat)
                .flatMapSequential(e -> formatEngine(e, false, false))
                .flatMapIterable(all -> all)
                .filter(result -> !result.getOk())
                .subscribe(
                        bad -> LOG.error("--auto-format: {} {}: {}", bad.getKind(), bad.getAddress(), bad.getMessage()),
                        e -> LOG.error(
                                "--auto-format: {}", FaultException.faultOf(e).message()));
    }

    /** Those that have lost their storage; all, to be refused, when there are none. */
    private List<Engine> lost() {
        List<Engine> lost = config.engines().stream().filter(this::awaitsFormat).toList();
        return lost.isEmpty() ? config.engines() : lost;
    }

    private boolean awaitsFormat(Engine engine) {
        return engines.storage(engine.index())
                .filter(s -> s.state() == StorageAdmin.State.AWAIT_FORMAT)
                .isPresent();
    }

    /** Storage without a rank holds nothing of the system yet. */
    private void refuseRunningSystem() {
        boolean formatted = engines.storages().stream()
                .anyMatch(s -> s.state() == StorageAdmin.State.READY && s.rank().isPresent());
        List<Integer> joined = maps.get()
                .map(m -> m.groupMap().members().stream()
                        .filter(member -> member.state() == MemberState.JOINED)
                        .map(Member::rank)
                        .toList())
                .orElse(List.of());
        if (formatted && !joined.isEmpty()) {
            throw Fault.of(FaultCode.BUSY, "the system is running: ranks %s are Joined", joined)
                    .remedy("stop it first with dmg system stop")
                    .asException();
        }
    }

    private Mono<List<FormatResultMessage>> formatEngine(Engine engine, boolean force, boolean replace) {
        int index = engine.index();
        Optional<StorageAdmin> storage = engines.storage(index);
        Optional<RankIdentity> rank = engines.running(index);
        if (storage.isEmpty()) {
            return refused(engine, Fault.of(FaultCode.UNINIT, "the storage service of engine %d is not there", index));
        }
        if (rank.isPresent()) {
            return refused(
                    engine,
                    Fault.of(
                                    FaultCode.BUSY,
                                    "rank %d of engine %d is in service",
                                    rank.get().rank(),
                                    index)
                            .remedy("stop it first with dmg system stop"));
        }
        if (storage.get().state() == StorageAdmin.State.READY && !force) {
            return refused(
                    engine,
                    Fault.of(FaultCode.EXIST, "the storage of engine %d is already formatted", index)
                            .remedy(
                                    replace
                                            ? "--replace is for new storage: its rank comes back by itself"
                                            : "use --force to wipe it"));
        }
        String how = force ? " by force" : replace ? " to replace a lost one" : "";
        LOG.info("formatting the storage of engine {}{}", index, how);
        return (replace
                        ? storage.get().formatToReplace(config.system())
                        : storage.get().format(config.system(), force))
                .doOnNext(all -> LOG.info("engine {}: {} parts formatted", index, all.size()))
                .onErrorResume(e -> refused(engine, FaultException.faultOf(e)));
    }

    private static Mono<List<FormatResultMessage>> refused(Engine engine, Fault fault) {
        return Mono.just(List.of(FormatResultMessage.newBuilder()
                .setEngineIndex(engine.index())
                .setOk(false)
                .setKind("scm")
                .setAddress(engine.scmMount().toString())
                .setMessage(fault.message() + "; " + fault.remedy())
                .setStatus(-fault.code().number())
                .build()));
    }
}
