package io.daosmesh.storage.smd;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.bio.Extent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What of a device no blob has, in clusters of 1 MiB. Owner: one thread. Pure. */
final class DeviceSpace {
    static final long CLUSTER_BYTES = 1L << 20;

    private final String address;
    private final TreeMap<Long, Long> free = new TreeMap<>();

    private DeviceSpace(String address) {
        this.address = address;
    }

    static DeviceSpace of(Smd.Device device, List<Smd.Pool> pools) {
        DeviceSpace space = new DeviceSpace(device.address());
        long end = device.sizeBytes() / CLUSTER_BYTES * CLUSTER_BYTES;
        if (end > DeviceHeader.RESERVED_BYTES)
            space.free.put(DeviceHeader.RESERVED_BYTES, end - DeviceHeader.RESERVED_BYTES);
        for (Smd.Pool pool : pools)
            for (Smd.BlobSpace blob : pool.blobs())
                if (blob.device().equals(device.uuid())) blob.extents().forEach(space::remove);
        return space;
    }

    private void remove(Extent used) {
        Map.Entry<Long, Long> around = free.floorEntry(used.offsetBytes());
        if (around == null || around.getKey() + around.getValue() < used.endBytes())
            throw Fault.of(FaultCode.DF_INVAL, "server metadata is damaged: two blobs share %s of %s", used, address)
                    .asException();
        free.remove(around.getKey());
        if (around.getKey() < used.offsetBytes()) free.put(around.getKey(), used.offsetBytes() - around.getKey());
        long end = around.getKey() + around.getValue();
        if (used.endBytes() < end) free.put(used.endBytes(), end - used.endBytes());
    }

    long freeBytes() {
        return free.values().stream().mapToLong(Long::longValue).sum();
    }

    /** First fit; several pieces when pools that came and went have left holes. */
    List<Extent> take(long bytes) {
        long wanted = (bytes + CLUSTER_BYTES - 1) / CLUSTER_BYTES * CLUSTER_BYTES;
        if (wanted > freeBytes())
            throw Fault.of(FaultCode.NOSPACE, "pool wants %d bytes of %s, %d are free", wanted, address, freeBytes())
                    .asException();
        List<Extent> taken = new ArrayList<>();
        for (long left = wanted; left > 0; ) {
            long needed = left;
            Map.Entry<Long, Long> fit = free.entrySet().stream()
                    .filter(e -> e.getValue() >= needed)
                    .findFirst()
                    .orElseGet(() -> free.firstEntry());
            Extent piece = new Extent(fit.getKey(), Math.min(left, fit.getValue()));
            remove(piece);
            taken.add(piece);
            left -= piece.lengthBytes();
        }
        return taken;
    }
}
