package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.slot.HeldMemory;
import io.daosmesh.storage.slot.WriteBack;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves the values of an engine from memory to their devices. Those of a device that is given up are lost with it; those of
 * one that is away for a while stay. Owner: the thread that keeps the indexes.
 */
final class HeldKeeper {
    private static final Logger log = LoggerFactory.getLogger(HeldKeeper.class);

    private final List<? extends ValueBlobs> targets;
    private final HeldMemory memory;
    private final WriteBack writeBack = new WriteBack();
    private String lastWarning = "";

    HeldKeeper(List<? extends ValueBlobs> targets, HeldMemory memory) {
        this.targets = targets;
        this.memory = memory;
    }

    HeldMemory memory() {
        return memory;
    }

    ValueBlobs blobs(int target) {
        return targets.get(target);
    }

    /** What was held at the call is on its device, durably, or lost with it; the targets of which it is not. */
    Set<Integer> settle() {
        Set<Integer> left = new TreeSet<>();
        long stuckBytes = 0;
        for (Held h : quickFirst()) {
            if (settle(h.blob)) continue;
            left.add(h.target);
            stuckBytes += h.blob.heldBytes();
        }
        memory.setStuck(stuckBytes);
        return left;
    }

    private record Held(int target, DeviceBlob blob) {}

    private List<Held> quickFirst() {
        List<Held> quick = new ArrayList<>();
        List<Held> slow = new ArrayList<>();
        for (int t = 0; t < targets.size(); t++) {
            for (DeviceBlob blob : targets.get(t).blobs()) (blob.isSlow() ? slow : quick).add(new Held(t, blob));
        }
        quick.addAll(slow);
        return quick;
    }

    private boolean settle(DeviceBlob blob) {
        Fault fault = blob.isGivenUp() ? null : writeBack.write(blob, () -> memory.isWantedBeside(blob.heldBytes()));
        if (blob.isGivenUp()) blob.dropHeld();
        else if (fault != null) warn(fault);
        boolean isSettled = fault == null || blob.isGivenUp();
        blob.setStuck(!isSettled);
        return isSettled;
    }

    /** Once for each kind: it is tried again and again. */
    private void warn(Fault fault) {
        String text = fault.message();
        if (!text.equals(lastWarning)) log.warn("values stay in the engine log: {}", text);
        lastWarning = text;
    }
}
