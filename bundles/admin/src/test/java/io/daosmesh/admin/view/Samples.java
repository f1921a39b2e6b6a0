package io.daosmesh.admin.view;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerHealthMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.DeviceHealthMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.DriversReply;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListPoolsReply;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.RebuildStatusMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageScanReply;
import io.daosmesh.model.wire.StorageUsageReply;
import io.daosmesh.model.wire.TierSpaceMessage;
import io.daosmesh.model.wire.UnreadableObjectMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Answers of an invented system, after the examples of the administration guide. */
final class Samples {
    static final long TB = 1_000_000_000_000L;
    static final long GB = 1_000_000_000L;

    private Samples() {}

    static UUID uuid(int n) {
        return new UUID(0x8d2a0f3c0c354d2bL, 0x8c8e3c8e5d1f7e00L + n);
    }

    static MemberMessage member(int rank, MemberState state, String info) {
        return MemberMessage.newBuilder()
                .setRank(rank)
                .setUuid(Ids.bytes(uuid(rank)))
                .setAddress("10.7.0." + (3 + rank / 2) + ":10001")
                .setFaultDomain("/rack1/st0" + (3 + rank / 2))
                .setState(state.toWire())
                .setInfo(info)
                .setIncarnation(1_000_000 + rank)
                .setTargetCount(8)
                .setEngineIndex(rank % 2)
                .setUpdatedHlc(16_000_000L * 86_400_000L)
                .build();
    }

    static SystemView.Members members() {
        return new SystemView.Members(
                "daos_server",
                12,
                List.of(
                        member(0, MemberState.JOINED, ""),
                        member(1, MemberState.JOINED, ""),
                        member(2, MemberState.JOINED, ""),
                        member(5, MemberState.JOINED, ""),
                        member(3, MemberState.EXCLUDED, "SWIM marked rank as dead."),
                        member(4, MemberState.ADMIN_EXCLUDED, "")),
                List.of(12, 13),
                List.of("st40", "st41"));
    }

    static DeviceInfoMessage device(int n, String state, List<Integer> targets) {
        return DeviceInfoMessage.newBuilder()
                .setDeviceClass("nvme")
                .setUuid(Ids.bytes(uuid(16 + n)))
                .setAddress("0000:8" + n + ":00.0")
                .setModel("ACME-9000")
                .setSerial("S" + n)
                .setFirmware("A1B2")
                .setSizeBytes(3_200 * GB)
                .setFreeBytes(1_100 * GB)
                .setState(state)
                .setLed("OFF")
                .addAllTargets(targets)
                .setRank(0)
                .setDriver("nvme-spdk")
                .setDriverVersion("0.1.0")
                .setHealth(DeviceHealthMessage.newBuilder()
                        .setTimestampMs(1_631_531_554_000L)
                        .setTemperatureKelvin(289)
                        .setCriticalWarningBits(4)
                        .setPowerCycles(41)
                        .setPowerOnHours(6400)
                        .setUnsafeShutdowns(2)
                        .setChecksumErrors(1)
                        .setErrorLogEntries(5)
                        .setSparePercent(100))
                .build();
    }

    static ScmInfoMessage scm(int n) {
        return ScmInfoMessage.newBuilder()
                .setScmClass("dcpm")
                .setMount("pmem" + n)
                .setTotalBytes(3_200 * GB)
                .setFreeBytes(1_000 * GB)
                .setEngineIndex(n)
                .setRank(n)
                .setState("READY")
                .build();
    }

    static <T> HostReplies<T> hosts(T reply, T other) {
        Map<String, T> replies = new LinkedHashMap<>();
        replies.put("wolf-71:10001", reply);
        replies.put("wolf-72:10001", reply);
        replies.put("wolf-75:10001", other);
        Map<String, Fault> errors = new LinkedHashMap<>();
        errors.put("wolf-73:10001", Fault.of(FaultCode.UNREACH, "no route"));
        errors.put("wolf-74:10001", Fault.of(FaultCode.UNREACH, "no route"));
        return new HostReplies<>(replies, errors);
    }

    static HostReplies<StorageScanReply> scan() {
        return hosts(
                StorageScanReply.newBuilder()
                        .addScm(scm(0))
                        .addScm(scm(1))
                        .addNvme(device(1, "NORMAL", List.of(0, 1)))
                        .addNvme(device(2, "NEW", List.of()).toBuilder()
                                .clearUuid()
                                .clearHealth())
                        .build(),
                StorageScanReply.newBuilder().addScm(scm(0)).build());
    }

    static HostReplies<StorageUsageReply> usage() {
        StorageUsageReply full = StorageUsageReply.newBuilder()
                .addScm(scm(0))
                .addScm(scm(1))
                .addNvme(device(1, "NORMAL", List.of(0, 1)))
                .build();
        StorageUsageReply other = StorageUsageReply.newBuilder()
                .addScm(scm(0))
                .addScm(scm(1).toBuilder().setRank(-1).setState("NEEDS_FORMAT"))
                .addNvme(device(1, "NORMAL", List.of(0)))
                .addNvme(device(2, "NEW", List.of()))
                .addNvme(device(3, "NEW", List.of()))
                .addNvme(device(4, "EVICTED", List.of(1)).toBuilder().clearFreeBytes())
                .build();
        return hosts(full, other);
    }

    static HostReplies<StorageFormatReply> format() {
        StorageFormatReply good = StorageFormatReply.newBuilder()
                .addResults(result("scm", "/mnt/daos0", true))
                .addResults(result("nvme", "0000:81:00.0", true))
                .addResults(result("nvme", "0000:82:00.0", true))
                .build();
        return hosts(
                good,
                StorageFormatReply.newBuilder()
                        .addResults(result("scm", "/mnt/daos0", false))
                        .build());
    }

    private static FormatResultMessage result(String kind, String address, boolean ok) {
        return FormatResultMessage.newBuilder()
                .setKind(kind)
                .setAddress(address)
                .setOk(ok)
                .setMessage(ok ? "" : "DER_EXIST(-1004): already formatted")
                .setStatus(ok ? 0 : -1004)
                .build();
    }

    static HostReplies<ListDevicesReply> devices() {
        ListDevicesReply some = ListDevicesReply.newBuilder()
                .addDevices(device(1, "NORMAL", List.of(0, 2)))
                .addDevices(device(2, "EVICTED", List.of()).toBuilder().clearHealth())
                .addDevices(device(3, "NEW", List.of()))
                .build();
        return hosts(some, ListDevicesReply.getDefaultInstance());
    }

    static HostReplies<ListPoolsReply> smdPools() {
        ListPoolsReply some = ListPoolsReply.newBuilder()
                .addPools(smdPool(1))
                .addPools(smdPool(0))
                .build();
        return hosts(some, ListPoolsReply.getDefaultInstance());
    }

    private static SmdPoolMessage smdPool(int rank) {
        return SmdPoolMessage.newBuilder()
                .setPool(Ids.bytes(uuid(1)))
                .setRank(rank)
                .addAllTargets(List.of(0, 1, 2, 3))
                .addAllBlobs(List.of(4294967404L, 4294967405L, 4294967407L, 4294967406L))
                .build();
    }

    static HostReplies<DriversReply> drivers() {
        DriversReply some = DriversReply.newBuilder()
                .addDrivers(DriverMessage.newBuilder()
                        .setBundle("io.daosmesh.nvme-spdk")
                        .setKind("block")
                        .setVersion("0.1.0")
                        .setBundleId(61)
                        .setState("ACTIVE")
                        .addDevices("0000:81:00.0")
                        .addDevices("0000:82:00.0")
                        .setSwaps(2)
                        .setLastPauseUs(17_400))
                .addDrivers(DriverMessage.newBuilder()
                        .setBundle("io.daosmesh.pmem")
                        .setKind("scm")
                        .setVersion("0.1.0")
                        .setBundleId(62)
                        .setState("ACTIVE"))
                .build();
        return new HostReplies<>(Map.of("127.0.0.1:10001", some), Map.of());
    }

    static PoolEntryMessage entry(int n, String label, int state) {
        return PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(uuid(n)))
                .setLabel(label)
                .setStateValue(state)
                .addAllRanks(List.of(0, 1, 2, 3))
                .addAllServiceRanks(List.of(1, 2, 3))
                .putProperties("rd_fac", "2")
                .build();
    }

    static PoolQueryReply poolQuery(int n, String label) {
        PoolMapMessage.Builder map =
                PoolMapMessage.newBuilder().setPool(Ids.bytes(uuid(n))).setVersion(12);
        for (int rank = 0; rank < 4; rank++) {
            TargetState state = rank == 3 ? TargetState.DOWN : TargetState.UPIN;
            for (int index = 0; index < 2; index++) {
                map.addTargets(PoolTargetMessage.newBuilder()
                        .setRank(rank)
                        .setIndex(index)
                        .setFaultDomain("/st0" + rank)
                        .setState(state.toWire()));
            }
        }
        return PoolQueryReply.newBuilder()
                .setEntry(entry(n, label, 1))
                .setMap(map)
                .setLeader(3)
                .setRebuild(RebuildStatusMessage.newBuilder()
                        .setStateValue(1)
                        .setVersion(12)
                        .setObjectsTotal(100)
                        .setObjects(75)
                        .setRecords(9722)
                        .setBytes(123_456_789)
                        .setObjectsBlocked(2)
                        .setOperation("rebuild")
                        .setDurationMs(1500))
                .addTiers(tier(28 * GB, 27 * GB, 470_000_000L, 512_000_000L, 509_000_000L))
                .addTiers(tier(1_200 * GB, 900 * GB, 15 * GB, 17 * GB, 16 * GB))
                .addDisabledRanks(3)
                .addDeadRanks(3)
                .addUnhealthyContainers(unhealthy("scratch", 0.25, 3))
                .addUnhealthyContainers(unhealthy("old", 0))
                .setUnhealthyContainerCount(3)
                .setUnreadableRecords(5)
                .addUnreadableObjects(unreadable(8, 3))
                .addUnreadableObjects(unreadable(9, 2))
                .build();
    }

    private static UnreadableObjectMessage unreadable(long low, long records) {
        return UnreadableObjectMessage.newBuilder()
                .setContainer(Ids.bytes(uuid(7)))
                .setOidHigh(1L << 56)
                .setOidLow(low)
                .setRecords(records)
                .build();
    }

    private static ContainerHealthMessage unhealthy(String label, double share, Integer... missing) {
        return ContainerHealthMessage.newBuilder()
                .setContainer(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(uuid(7)))
                        .setLabel(label)
                        .setStatus(1)
                        .setUncleanVersion(11))
                .setUnavailableShare(share)
                .addAllMissingRanks(List.of(missing))
                .build();
    }

    private static TierSpaceMessage tier(long total, long free, long min, long max, long mean) {
        return TierSpaceMessage.newBuilder()
                .setTotal(total)
                .setFree(free)
                .setMinFree(min)
                .setMaxFree(max)
                .setMeanFree(mean)
                .build();
    }

    static PoolCreateReply created() {
        return PoolCreateReply.newBuilder()
                .setPool(Ids.bytes(uuid(1)))
                .addAllRanks(java.util.stream.IntStream.range(0, 16).boxed().toList())
                .addAllServiceRanks(List.of(1, 2, 3, 4, 5))
                .setServiceLeader(1)
                .setScmBytesPerRank(187_500_000)
                .setNvmeBytesPerRank(2_937_500_000L)
                .build();
    }
}
