package io.daosmesh.control.node;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.StorageAdmin;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** The engines of this node as they come and go: their storage and, once joined, their ranks. Any thread. */
final class Engines {
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final List<StorageAdmin> storages = new CopyOnWriteArrayList<>();
    private final List<RankIdentity> ranks = new CopyOnWriteArrayList<>();

    void add(StorageAdmin storage) {
        storages.add(storage);
    }

    void remove(StorageAdmin storage) {
        storages.remove(storage);
    }

    void add(RankIdentity rank) {
        ranks.add(rank);
    }

    void remove(RankIdentity rank) {
        ranks.remove(rank);
    }

    List<StorageAdmin> storages() {
        return storages.stream()
                .sorted(Comparator.comparing(StorageAdmin::engineIndex))
                .toList();
    }

    Optional<RankIdentity> running(int engineIndex) {
        return ranks.stream().filter(r -> r.engineIndex() == engineIndex).findFirst();
    }

    Optional<StorageAdmin> storage(int engineIndex) {
        return storages.stream().filter(s -> s.engineIndex() == engineIndex).findFirst();
    }

    /** Completes when every configured engine knows the state of its storage, at the latest after {@code bound}. */
    Mono<Void> settled(NodeConfig config, Duration bound, Scheduler scheduler) {
        return Mono.defer(() -> {
            boolean settled = config.engines().stream()
                    .allMatch(e -> storage(e.index())
                            .filter(s -> s.state() != StorageAdmin.State.STARTING)
                            .isPresent());
            return settled || bound.isNegative() || bound.isZero()
                    ? Mono.empty()
                    : Mono.delay(PAUSE, scheduler).then(settled(config, bound.minus(PAUSE), scheduler));
        });
    }
}
