package io.daosmesh.storage.scm;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.spi.ScmRegion;
import io.daosmesh.spi.ScmSpace;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.room.RoomMarks;
import io.daosmesh.storage.smd.Smd;
import io.daosmesh.storage.smd.Superblock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The files of one engine on its SCM. Owner: the engine's owner loop. */
public final class ScmFolder {
    /** Logs and bookkeeping of the indexes; not for pools. */
    private static final long SYSTEM_BYTES_MAX = 512L << 20;

    private final int engineIndex;
    /** Null once another one serves: whoever keeps this folder must not keep a replaced bundle. */
    private volatile @Nullable ScmDriver driver;

    private final DeviceSpec spec;
    private final Path root;
    private final long totalBytes;
    private final Reserve reserve;
    private final DurableFile superblockFile;
    private final DurableFile smdFile;

    private ScmFolder(int engineIndex, ScmDriver driver, DeviceSpec spec, Path root, long totalBytes) {
        this.engineIndex = engineIndex;
        this.driver = driver;
        this.spec = spec;
        this.root = root;
        this.totalBytes = totalBytes;
        this.reserve = new Reserve(root);
        this.superblockFile = new DurableFile(root.resolve("superblock"), reserve);
        this.smdFile = new DurableFile(root.resolve("smd"), reserve);
    }

    /** The driver makes the space usable. */
    public static ScmFolder open(int engineIndex, ScmDriver driver, DeviceSpec spec) {
        DeviceResult<ScmSpace> result = driver.open(spec, true);
        if (!result.isOk()) throw fault(result.status(), result.detail()).asException();
        try (ScmSpace space = result.get()) {
            return new ScmFolder(engineIndex, driver, spec, space.root(), space.totalBytes());
        }
    }

    private static Fault fault(DeviceStatus status, String detail) {
        FaultCode code = switch (status) {
            case NOT_FOUND -> FaultCode.NONEXIST;
            case NO_SPACE -> FaultCode.NOSPACE;
            case UNSUPPORTED -> FaultCode.NOSYS;
            case INVALID -> FaultCode.INVAL;
            default -> FaultCode.IO;
        };
        return Fault.of(code, "SCM: %s", detail).remedy("check scm_mount and class of the engine's first storage tier");
    }

    public Path root() {
        return root;
    }

    /** Room that is given up when there is no other. */
    public Reserve reserve() {
        return reserve;
    }

    /** A file of so many bytes in memory, made and filled with zeros when there is none. The caller closes it. */
    public ScmRegion map(String fileName, long sizeBytes) {
        ScmDriver present = driver;
        if (present == null)
            throw fault(DeviceStatus.GONE, "the driver has left").asException();
        DeviceResult<ScmSpace> opened = present.open(spec, false);
        if (!opened.isOk()) throw fault(opened.status(), opened.detail()).asException();
        try (ScmSpace space = opened.get()) {
            DeviceResult<ScmRegion> region = space.map(fileName, sizeBytes);
            if (!region.isOk()) throw fault(region.status(), region.detail()).asException();
            return region.get();
        }
    }

    /** What another process has left of a file in the memory of the system is durable on return. */
    public void sync(String fileName) {
        Path file = root.resolve(fileName);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(false);
        } catch (IOException e) {
            throw Fault.of(FaultCode.IO, "cannot sync %s: %s", file, String.valueOf(e.getMessage()))
                    .remedy("repair the medium of scm_mount, then restart the engine")
                    .asException();
        }
    }

    /** What pools can have beside such a log. @param marks what is kept for the system's own work */
    public long poolBytes(LogLimits log, RoomMarks marks) {
        long systemBytes = Math.min(SYSTEM_BYTES_MAX, totalBytes / 20);
        return Math.max(0, totalBytes - Math.max(systemBytes, log.totalBytes() + marks.keptBytes()));
    }

    public boolean isServedBy(@Nullable ScmDriver one) {
        return driver == one;
    }

    /** Its driver has left; the files can still be read and written. */
    public void release() {
        driver = null;
    }

    public int engineIndex() {
        return engineIndex;
    }

    public long totalBytes() {
        return totalBytes;
    }

    public boolean isFormatted() {
        return superblockFile.read().isPresent();
    }

    public Optional<Superblock> superblock() {
        return superblockFile.read().map(bytes -> decode(() -> Superblock.decode(engineIndex, bytes)));
    }

    public Smd smd() {
        byte[] bytes = smdFile.read()
                .orElseThrow(() -> Fault.of(
                                FaultCode.DF_INVAL, "server metadata of engine %d is missing in %s", engineIndex, root)
                        .asException());
        return decode(() -> Smd.decode(engineIndex, bytes));
    }

    /** A payload that passes its checksum but ends early was written by a broken program: damaged all the same. */
    private <T> T decode(java.util.function.Supplier<T> decoder) {
        try {
            return decoder.get();
        } catch (java.nio.BufferUnderflowException | IllegalArgumentException e) {
            throw Fault.of(FaultCode.DF_INVAL, "metadata of engine %d in %s is damaged", engineIndex, root)
                    .asException();
        }
    }

    public void write(Superblock superblock) {
        superblockFile.write(superblock.encode());
    }

    public void write(Smd smd) {
        smdFile.write(smd.encode(engineIndex));
    }

    public Path index(int target) {
        return root.resolve("target-" + target);
    }

    /** What is noted of a target's index, beside it: it outlives the loss of the index's folder. */
    public DurableFile indexNote(int target) {
        return note("target-" + target);
    }

    /** A small file of this name that is always there as a whole. */
    public DurableFile note(String name) {
        return new DurableFile(root.resolve(name + ".note"), reserve);
    }

    /** Erases what we know; the superblock first, so that a crash on the way leaves unformatted storage. */
    public void erase() {
        superblockFile.delete();
        smdFile.delete();
        try (Stream<Path> entries = Files.list(root)) {
            List<Path> ours = entries.filter(p -> p.getFileName().toString().matches("(target|log)-.*|" + Reserve.NAME))
                    .toList();
            for (Path folder : ours) deleteTree(folder);
        } catch (IOException e) {
            throw Fault.of(FaultCode.IO, "cannot erase %s: %s", root, String.valueOf(e.getMessage()))
                    .asException();
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path p : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(p);
        }
    }
}
