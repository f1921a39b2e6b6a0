package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import reactor.core.publisher.Mono;

/** Storage of an engine with one device. */
final class FakeStorage implements StorageAdmin {
    volatile State state = State.AWAIT_FORMAT;
    volatile Optional<Integer> rank = Optional.empty();
    private volatile boolean isReplacement;
    final List<DeviceInfoMessage> devices = new ArrayList<>(List.of(DeviceInfoMessage.newBuilder()
            .setUuid(Ids.bytes(NodeRpcsTest.DEVICE))
            .setAddress("/ssd")
            .setState("NORMAL")
            .build()));

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
        return Optional.empty();
    }

    @Override
    public Optional<Integer> rank() {
        return rank;
    }

    @Override
    public Mono<Void> assignRank(int newRank) {
        return Mono.empty();
    }

    @Override
    public Mono<List<FormatResultMessage>> format(String system, boolean force) {
        state = State.READY;
        return Mono.just(List.of(
                FormatResultMessage.newBuilder().setKind("scm").setOk(true).build()));
    }

    @Override
    public Mono<List<FormatResultMessage>> formatToReplace(String system) {
        isReplacement = true;
        return format(system, false);
    }

    @Override
    public boolean isReplacement() {
        return isReplacement;
    }

    @Override
    public Mono<DeviceInfoMessage> addDevice(String address) {
        return Mono.fromCallable(() -> {
            DeviceInfoMessage found = devices.get(1);
            if (!found.getUnlisted()) throw Fault.of(FaultCode.ALREADY).asException();
            devices.set(
                    1,
                    found.toBuilder()
                            .setUnlisted(false)
                            .setUuid(Ids.bytes(new UUID(9, 9)))
                            .build());
            return devices.get(1);
        });
    }

    @Override
    public Mono<ScmInfoMessage> scm() {
        return Mono.just(ScmInfoMessage.getDefaultInstance());
    }

    @Override
    public Mono<List<DeviceInfoMessage>> devices(boolean health) {
        return Mono.just(List.copyOf(devices));
    }

    @Override
    public List<SmdPoolMessage> pools() {
        return List.of();
    }

    @Override
    public List<DriverMessage> drivers() {
        return List.of(DriverMessage.newBuilder().setBundle("b").build());
    }

    @Override
    public Mono<DeviceInfoMessage> led(UUID device, String wanted) {
        return Mono.just(devices.get(0).toBuilder().setLed(wanted).build());
    }

    @Override
    public Mono<Void> setFaulty(UUID device) {
        return Mono.fromRunnable(() ->
                devices.set(0, devices.get(0).toBuilder().setState("EVICTED").build()));
    }

    @Override
    public Mono<Void> replace(UUID old, UUID next) {
        if (!old.equals(next))
            return Mono.error(Fault.of(FaultCode.BUSY, "not out yet").asException());
        return Mono.fromRunnable(() ->
                devices.set(0, devices.get(0).toBuilder().setState("NORMAL").build()));
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        return () -> {};
    }
}
