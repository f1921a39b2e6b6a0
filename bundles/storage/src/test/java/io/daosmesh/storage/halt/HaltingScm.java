package io.daosmesh.storage.halt;

import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.spi.ScmRegion;
import io.daosmesh.spi.ScmSpace;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Stages {@code header} and {@code append} of the engine's log, and those of {@link HaltingFiles}. */
public record HaltingScm(ScmDriver real, Halter halter) implements ScmDriver {
    /** In the middle of what a header says. */
    private static final int HALF_HEADER_BYTES = 44;

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public String version() {
        return real.version();
    }

    @Override
    public Set<String> scmClasses() {
        return real.scmClasses();
    }

    @Override
    public List<DeviceInfo> scan(List<DeviceSpec> specs) {
        return real.scan(specs);
    }

    @Override
    public DeviceResult<ScmSpace> open(DeviceSpec spec, boolean create) {
        DeviceResult<ScmSpace> opened = real.open(spec, create);
        return opened.isOk() ? DeviceResult.ok(new Space(opened.get(), halter)) : opened;
    }

    private record Space(ScmSpace real, Halter halter) implements ScmSpace {
        @Override
        public DeviceInfo info() {
            return real.info();
        }

        @Override
        public Path root() {
            return HaltingFiles.of(real.root(), halter);
        }

        @Override
        public long totalBytes() {
            return real.totalBytes();
        }

        @Override
        public long freeBytes() {
            return real.freeBytes();
        }

        @Override
        public boolean isMapSync() {
            return real.isMapSync();
        }

        @Override
        public DeviceResult<ScmRegion> map(String fileName, long sizeBytes) {
            DeviceResult<ScmRegion> mapped = real.map(fileName, sizeBytes);
            return mapped.isOk() ? DeviceResult.ok(new Region(mapped.get(), halter)) : mapped;
        }

        @Override
        public void close() {
            real.close();
        }
    }

    private record Region(ScmRegion real, Halter halter) implements ScmRegion {
        @Override
        public ByteBuffer bytes() {
            return real.bytes();
        }

        @Override
        public DeviceResult<Boolean> write(int offsetBytes, ByteBuffer src, boolean isDurable) {
            boolean isHeader = offsetBytes == 0;
            int halfBytes = isHeader ? HALF_HEADER_BYTES : src.remaining() / 2;
            ByteBuffer half = src.duplicate().limit(src.position() + halfBytes);
            return halter.run(
                    isHeader ? "header" : "append",
                    () -> real.write(offsetBytes, half, isDurable),
                    () -> real.write(offsetBytes, src, isDurable));
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
