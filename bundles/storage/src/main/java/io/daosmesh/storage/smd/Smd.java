package io.daosmesh.storage.smd;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.storage.bio.Extent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Server metadata of an engine: its devices with their targets, and the spaces of its pools. Immutable: a change makes a
 * new value, which the runtime writes as a whole. Source: DAOS's SMD tables. Pure.
 */
public record Smd(long nextBlobId, List<Device> devices, List<Pool> pools) {
    /** Pools of one engine; DAOS names no limit, ours keeps the file below a few MiB. */
    public static final int POOLS_MAX = 1000;

    /** Devices of one engine. */
    public static final int DEVICES_MAX = 128;

    /** Bits of a device's flags. */
    private static final int FAULTY = 1;

    private static final int ADDED = 2;
    private static final StoredFormat LAYOUT = StoredFormat.DEVICE_TABLE;
    /** Before devices could be added: releases of that time take the flag for a fault, and refuse the newer layout. */
    private static final int NONE_ADDED = 1;

    private static final long MAGIC = 0x31444d534d534f41L;

    /**
     * @param isFaulty the only state that outlives a restart
     * @param isAdded it came later: the configuration need not name it
     */
    public record Device(
            UUID uuid, String address, long sizeBytes, boolean isFaulty, boolean isAdded, List<Integer> targets) {
        public Device {
            targets = List.copyOf(targets);
        }

        /** One that the configuration names. */
        public Device(UUID uuid, String address, long sizeBytes, boolean isFaulty, List<Integer> targets) {
            this(uuid, address, sizeBytes, isFaulty, false, targets);
        }

        Device with(boolean nextFaulty, List<Integer> nextTargets) {
            return new Device(uuid, address, sizeBytes, nextFaulty, isAdded, nextTargets);
        }

        private int flags() {
            return (isFaulty ? FAULTY : 0) | (isAdded ? ADDED : 0);
        }

        /** Holds nothing and may take the place of another one. */
        public boolean isSpare() {
            return targets.isEmpty() && !isFaulty;
        }
    }

    /** One blob: the space of a pool on the device of a target, in the order of blob offsets. */
    public record BlobSpace(int target, long blobId, UUID device, List<Extent> extents) {
        public BlobSpace {
            extents = List.copyOf(extents);
        }

        public long sizeBytes() {
            return extents.stream().mapToLong(Extent::lengthBytes).sum();
        }
    }

    /** Sizes are those of one target. */
    public record Pool(UUID uuid, long scmBytes, long nvmeBytes, List<BlobSpace> blobs) {
        public Pool {
            blobs = List.copyOf(blobs);
        }
    }

    public Smd {
        devices = List.copyOf(devices);
        pools = List.copyOf(pools);
    }

    public Optional<Pool> pool(UUID uuid) {
        return pools.stream().filter(p -> p.uuid.equals(uuid)).findFirst();
    }

    public Optional<Device> device(UUID uuid) {
        return devices.stream().filter(d -> d.uuid.equals(uuid)).findFirst();
    }

    public Optional<Device> deviceOf(int target) {
        return devices.stream().filter(d -> d.targets.contains(target)).findFirst();
    }

    /** Target i lives on device i mod n, as in DAOS. */
    public static Smd first(List<Device> devices, int targetCount) {
        List<Device> assigned = new ArrayList<>();
        for (int d = 0; d < devices.size(); d++) {
            List<Integer> targets = new ArrayList<>();
            for (int t = d; t < targetCount; t += devices.size()) targets.add(t);
            assigned.add(devices.get(d).with(false, targets));
        }
        return new Smd(1, assigned, List.of());
    }

    public Smd withFaulty(UUID device, boolean isFaulty) {
        List<Device> changed = new ArrayList<>();
        for (Device d : devices) changed.add(d.uuid.equals(device) ? d.with(isFaulty, d.targets) : d);
        return new Smd(nextBlobId, changed, pools);
    }

    /** One more, behind the others. NOSPACE when there are {@link #DEVICES_MAX}. */
    public Smd withDevice(Device device) {
        if (devices.size() >= DEVICES_MAX)
            throw Fault.of(FaultCode.NOSPACE, "an engine has at most %d devices", DEVICES_MAX)
                    .asException();
        List<Device> more = new ArrayList<>(devices);
        more.add(device);
        return new Smd(nextBlobId, more, pools);
    }

    /**
     * The targets of a device move to another one, or begin anew on the same: each of their blobs gets a new number and space on
     * the new device, with nothing in it. The old one stays, faulty and without targets. NOSPACE when the new one is too small.
     *
     * @param next in the tables, the old one itself or one without targets
     */
    public Smd withReplaced(UUID old, UUID next) {
        List<Integer> moved = device(old).orElseThrow().targets();
        List<Device> changed = new ArrayList<>();
        for (Device d : devices) {
            if (d.uuid.equals(next)) changed.add(d.with(false, moved));
            else if (d.uuid.equals(old)) changed.add(d.with(true, List.of()));
            else changed.add(d);
        }
        List<Pool> emptied = new ArrayList<>();
        for (Pool p : pools) {
            List<BlobSpace> kept =
                    p.blobs.stream().filter(b -> !b.device.equals(old)).toList();
            emptied.add(new Pool(p.uuid, p.scmBytes, p.nvmeBytes, kept));
        }
        DeviceSpace space = DeviceSpace.of(
                new Smd(nextBlobId, changed, emptied).device(next).orElseThrow(), emptied);
        List<Pool> after = new ArrayList<>();
        long blobId = nextBlobId;
        for (Pool p : pools) {
            List<BlobSpace> blobs = new ArrayList<>();
            for (BlobSpace b : p.blobs) {
                if (!b.device.equals(old)) blobs.add(b);
                else blobs.add(new BlobSpace(b.target, blobId++, next, space.take(b.sizeBytes())));
            }
            after.add(new Pool(p.uuid, p.scmBytes, p.nvmeBytes, blobs));
        }
        return new Smd(blobId, changed, after);
    }

    public Smd withoutPool(UUID uuid) {
        List<Pool> left = pools.stream().filter(p -> !p.uuid.equals(uuid)).toList();
        return new Smd(nextBlobId, devices, left);
    }

    /**
     * Space for a pool on every target, or a NOSPACE fault and no change. The same pool with the same sizes again is no
     * change; with other sizes EXIST.
     *
     * @param scmFreeBytes SCM that no pool has
     */
    public Smd withPool(UUID uuid, long scmBytes, long nvmeBytes, int targetCount, long scmFreeBytes) {
        Optional<Pool> known = pool(uuid);
        if (known.isPresent()) {
            if (known.get().scmBytes == scmBytes && known.get().nvmeBytes == nvmeBytes) return this;
            throw Fault.of(FaultCode.EXIST, "pool %s has other sizes here", uuid)
                    .asException();
        }
        if (pools.size() >= POOLS_MAX)
            throw Fault.of(FaultCode.NOSPACE, "an engine holds at most %d pools", POOLS_MAX)
                    .asException();
        if (scmBytes > scmFreeBytes / Math.max(1, targetCount))
            throw Fault.of(
                            FaultCode.NOSPACE,
                            "pool wants %d bytes of SCM on each of %d targets, %d are free",
                            scmBytes,
                            targetCount,
                            scmFreeBytes)
                    .asException();
        List<BlobSpace> blobs = new ArrayList<>();
        long blobId = nextBlobId;
        if (nvmeBytes > 0) {
            for (Device device : devices) {
                DeviceSpace space = DeviceSpace.of(device, pools);
                for (int target : device.targets)
                    blobs.add(new BlobSpace(target, blobId++, device.uuid, space.take(nvmeBytes)));
            }
        }
        List<Pool> more = new ArrayList<>(pools);
        more.add(new Pool(uuid, scmBytes, nvmeBytes, blobs));
        return new Smd(blobId, devices, more);
    }

    /** SCM that pools have, on all targets together. */
    public long scmReservedBytes(int targetCount) {
        return pools.stream().mapToLong(p -> p.scmBytes * targetCount).sum();
    }

    public long freeBytes(UUID device) {
        return device(device).map(d -> DeviceSpace.of(d, pools).freeBytes()).orElse(0L);
    }

    private static Frame.Kind kind(int engineIndex, int version) {
        return new Frame.Kind("server metadata of engine " + engineIndex, MAGIC, LAYOUT.oldest(), version);
    }

    public byte[] encode(int engineIndex) {
        Encoder out = new Encoder().putLong(nextBlobId).putInt(devices.size());
        for (Device d : devices) {
            out.putUuid(d.uuid).putString(d.address).putLong(d.sizeBytes).putInt(d.flags());
            out.putInt(d.targets.size());
            for (int t : d.targets) out.putInt(t);
        }
        out.putInt(pools.size());
        for (Pool p : pools) {
            out.putUuid(p.uuid).putLong(p.scmBytes).putLong(p.nvmeBytes).putInt(p.blobs.size());
            for (BlobSpace b : p.blobs) {
                out.putInt(b.target).putLong(b.blobId).putUuid(b.device).putInt(b.extents.size());
                for (Extent e : b.extents) out.putLong(e.offsetBytes()).putLong(e.lengthBytes());
            }
        }
        boolean isOld = devices.stream().noneMatch(Device::isAdded);
        return Frame.encode(kind(engineIndex, isOld ? NONE_ADDED : LAYOUT.newest()), out.bytes());
    }

    /** DF_INVAL when damaged, DF_INCOMPT when of a layout this release does not know. */
    public static Smd decode(int engineIndex, byte[] bytes) {
        return Frame.decode(kind(engineIndex, LAYOUT.newest()), bytes, Smd::read);
    }

    private static Smd read(ByteBuffer in) {
        long nextBlobId = in.getLong();
        List<Device> devices = new ArrayList<>();
        for (int n = in.getInt(); n > 0; n--) {
            UUID uuid = Encoder.uuid(in);
            String address = Encoder.string(in);
            long size = in.getLong();
            int flags = in.getInt();
            if ((flags & ~(FAULTY | ADDED)) != 0) throw new IllegalArgumentException("flags " + flags);
            List<Integer> targets = new ArrayList<>();
            for (int t = in.getInt(); t > 0; t--) targets.add(in.getInt());
            devices.add(new Device(uuid, address, size, (flags & FAULTY) != 0, (flags & ADDED) != 0, targets));
        }
        List<Pool> pools = new ArrayList<>();
        for (int n = in.getInt(); n > 0; n--) pools.add(decodePool(in));
        return new Smd(nextBlobId, devices, pools);
    }

    private static Pool decodePool(ByteBuffer in) {
        UUID uuid = Encoder.uuid(in);
        long scmBytes = in.getLong();
        long nvmeBytes = in.getLong();
        List<BlobSpace> blobs = new ArrayList<>();
        for (int n = in.getInt(); n > 0; n--) {
            int target = in.getInt();
            long blobId = in.getLong();
            UUID device = Encoder.uuid(in);
            List<Extent> extents = new ArrayList<>();
            for (int e = in.getInt(); e > 0; e--) extents.add(new Extent(in.getLong(), in.getLong()));
            blobs.add(new BlobSpace(target, blobId, device, extents));
        }
        return new Pool(uuid, scmBytes, nvmeBytes, blobs);
    }
}
