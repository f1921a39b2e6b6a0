package io.daosmesh.management.node;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import reactor.core.publisher.Mono;

/** A formatted engine's storage that outlives restarts of its node. */
final class TestStorage implements StorageAdmin {
    private volatile UUID uuid = UUID.randomUUID();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    final Set<UUID> pools = ConcurrentHashMap.newKeySet();
    volatile State state = State.READY;
    private volatile int rank = -1;
    private volatile boolean isReplacement;

    void become(State next) {
        state = next;
        listeners.forEach(l -> l.onState(next));
    }

    @Override
    public int engineIndex() {
        return 0;
    }

    @Override
    public State state() {
        return state;
    }

    @Override
    public String fault() {
        return "";
    }

    @Override
    public Optional<UUID> engineUuid() {
        return state == State.AWAIT_FORMAT ? Optional.empty() : Optional.of(uuid);
    }

    @Override
    public Optional<Integer> rank() {
        return rank < 0 ? Optional.empty() : Optional.of(rank);
    }

    @Override
    public Mono<Void> assignRank(int r) {
        rank = r;
        return Mono.empty();
    }

    @Override
    public Mono<List<FormatResultMessage>> format(String system, boolean force) {
        uuid = UUID.randomUUID();
        rank = -1;
        pools.clear();
        become(State.READY);
        return Mono.just(List.of());
    }

    @Override
    public Mono<List<FormatResultMessage>> formatToReplace(String system) {
        return Mono.defer(() -> {
            isReplacement = true;
            return format(system, false);
        });
    }

    @Override
    public boolean isReplacement() {
        return isReplacement && rank < 0;
    }

    @Override
    public Mono<Void> erase(UUID engine) {
        if (!engine.equals(uuid)) return Mono.empty();
        become(State.AWAIT_FORMAT);
        return Mono.empty();
    }

    @Override
    public Mono<ScmInfoMessage> scm() {
        return Mono.just(ScmInfoMessage.getDefaultInstance());
    }

    @Override
    public Mono<List<DeviceInfoMessage>> devices(boolean health) {
        return Mono.just(List.of());
    }

    @Override
    public List<SmdPoolMessage> pools() {
        return pools.stream()
                .map(p -> SmdPoolMessage.newBuilder().setPool(Ids.bytes(p)).build())
                .toList();
    }

    @Override
    public List<DriverMessage> drivers() {
        return List.of();
    }

    @Override
    public Mono<DeviceInfoMessage> led(UUID device, String s) {
        return Mono.empty();
    }

    @Override
    public Mono<Void> setFaulty(UUID device) {
        return Mono.empty();
    }

    @Override
    public Mono<Void> replace(UUID old, UUID next) {
        return Mono.empty();
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }
}
