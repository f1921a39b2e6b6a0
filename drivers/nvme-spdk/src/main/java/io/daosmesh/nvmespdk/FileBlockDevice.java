package io.daosmesh.nvmespdk;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceStatus;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A sparse file as an SSD: positional I/O on a few threads behind a bounded queue. Any thread.
 *
 * <p>Flushes that wait at the same time share one force, which covers everything completed before it began.
 */
final class FileBlockDevice implements BlockDevice {
    static final int BLOCK_BYTES = 4096;
    private static final long CLOSE_WAIT_MS = 2_500;
    private static final long HEALTH_SAVE_NS = TimeUnit.SECONDS.toNanos(30);

    private final Path path;
    private final FileChannel channel;
    private final long sizeBytes;
    private final HealthFile health;
    private final Troubles troubles;
    private final SmartFile smart;
    private final Troubles.Medium medium = new Troubles.Medium() {
        @Override
        public void read(long offsetBytes, ByteBuffer dst) throws IOException {
            readFully(offsetBytes, dst);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer src) throws IOException {
            writeFully(offsetBytes, src);
        }
    };
    private final Consumer<FileBlockDevice> onClosed;
    private final ThreadPoolExecutor threads;
    private final Set<Request> pending = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<Request> flushes = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isClosing = new AtomicBoolean();
    private volatile boolean isFlushBroken;
    private volatile long healthSavedNs = System.nanoTime();

    FileBlockDevice(
            Path path,
            FileChannel channel,
            FileDeviceOpener.Geometry geometry,
            HealthFile health,
            Consumer<FileBlockDevice> onClosed) {
        this.path = path;
        this.channel = channel;
        this.sizeBytes = geometry.sizeBytes();
        this.health = health;
        this.onClosed = onClosed;
        troubles = Troubles.of(path);
        smart = new SmartFile(path);
        lookForTroubles();
        int count = geometry.threadCount();
        threads = new ThreadPoolExecutor(
                count, count, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(geometry.queueDepth()), task -> {
                    Thread thread = new Thread(task, "nvme-spdk-" + path.getFileName());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    static DeviceInfo info(Path path, long sizeBytes) {
        Path absolute = path.toAbsolutePath().normalize();
        return new DeviceInfo(
                NvmeSpdkDriver.FILE,
                absolute.toString(),
                "emulated-file",
                Integer.toHexString(absolute.toString().hashCode()),
                "1",
                sizeBytes,
                BLOCK_BYTES,
                -1);
    }

    static DeviceStatus statusOf(IOException e) {
        String message = String.valueOf(e.getMessage());
        boolean isFull = message.contains("No space left") || message.contains("quota");
        return isFull ? DeviceStatus.NO_SPACE : DeviceStatus.MEDIA_ERROR;
    }

    @Override
    public DeviceInfo info() {
        return info(path, sizeBytes);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public int blockBytes() {
        return BLOCK_BYTES;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer dst, Completion completion) {
        String wrong = wrongGeometry(offsetBytes, dst.remaining());
        if (wrong.isEmpty()) wrong = wrongBuffer(dst);
        if (wrong.isEmpty() && dst.isReadOnly()) wrong = "the buffer to read into is read-only";
        submit(wrong, completion, () -> readAll(offsetBytes, dst));
    }

    @Override
    public void write(long offsetBytes, ByteBuffer src, Completion completion) {
        String wrong = wrongGeometry(offsetBytes, src.remaining());
        if (wrong.isEmpty()) wrong = wrongBuffer(src);
        submit(wrong, completion, () -> writeAll(offsetBytes, src));
    }

    @Override
    public void unmap(long offsetBytes, long lengthBytes, Completion completion) {
        // The JDK cannot punch holes; old data is an allowed answer to a read of an unmapped range.
        submit(wrongGeometry(offsetBytes, lengthBytes), completion, troubles::enter);
    }

    @Override
    public void flush(Completion completion) {
        Request request = new Request(completion, () -> {});
        flushes.add(request);
        if (!enqueue(request, this::runFlushes)) flushes.remove(request);
    }

    private String wrongGeometry(long offsetBytes, long lengthBytes) {
        if (offsetBytes < 0 || offsetBytes % BLOCK_BYTES != 0)
            return "offset " + offsetBytes + " is not a multiple of " + BLOCK_BYTES;
        if (lengthBytes <= 0 || lengthBytes % BLOCK_BYTES != 0)
            return "length " + lengthBytes + " is not a multiple of " + BLOCK_BYTES;
        if (offsetBytes > sizeBytes - lengthBytes)
            return "range " + offsetBytes + "+" + lengthBytes + " is outside of " + sizeBytes + " bytes";
        return "";
    }

    private static String wrongBuffer(ByteBuffer buffer) {
        if (!buffer.isDirect()) return "the buffer is not direct";
        if (buffer.alignmentOffset(buffer.position(), BLOCK_BYTES) != 0)
            return "the buffer's address is not a multiple of " + BLOCK_BYTES;
        return "";
    }

    private interface Work {
        void run() throws IOException;
    }

    /** One request; answered exactly once, whoever comes first. */
    private final class Request {
        private final Completion completion;
        private final Work work;
        private final AtomicBoolean isAnswered = new AtomicBoolean();

        Request(Completion completion, Work work) {
            this.completion = completion;
            this.work = work;
        }

        void answer(DeviceStatus status, String detail) {
            pending.remove(this);
            if (isAnswered.compareAndSet(false, true)) completion.done(status, detail);
        }
    }

    private void submit(String wrong, Completion completion, Work work) {
        if (isClosing.get()) completion.done(DeviceStatus.GONE, path + " is closed");
        else if (!wrong.isEmpty()) completion.done(DeviceStatus.INVALID, path + ": " + wrong);
        else {
            Request request = new Request(completion, work);
            enqueue(request, () -> run(request));
        }
    }

    private boolean enqueue(Request request, Runnable task) {
        if (isClosing.get()) {
            request.answer(DeviceStatus.GONE, path + " is closed");
            return false;
        }
        pending.add(request);
        try {
            threads.execute(task);
            return true;
        } catch (java.util.concurrent.RejectedExecutionException e) {
            if (threads.isShutdown()) request.answer(DeviceStatus.GONE, path + " is closed");
            else request.answer(DeviceStatus.BUSY, path + ": queue is full");
            return false;
        }
    }

    private void run(Request request) {
        if (request.isAnswered.get()) return;
        try {
            request.work.run();
        } catch (IOException e) {
            fail(request, e);
            return;
        } catch (RuntimeException | Error e) {
            request.answer(DeviceStatus.MEDIA_ERROR, path + ": " + e);
            return;
        }
        request.answer(DeviceStatus.OK, "");
    }

    private void fail(Request request, IOException e) {
        if (request.isAnswered.get()) return;
        DeviceStatus status = channel.isOpen() ? statusOf(e) : DeviceStatus.GONE;
        if (status == DeviceStatus.MEDIA_ERROR) health.onMediaError();
        request.answer(status, path + ": " + e.getMessage());
    }

    private void readAll(long offsetBytes, ByteBuffer dst) throws IOException {
        long startNs = System.nanoTime();
        int length = dst.remaining();
        troubles.enter();
        readFully(offsetBytes, dst);
        troubles.onRead(dst, length);
        health.onRead(length, System.nanoTime() - startNs);
        saveHealthNowAndThen();
    }

    private void readFully(long offsetBytes, ByteBuffer dst) throws IOException {
        long at = offsetBytes;
        while (dst.hasRemaining()) {
            int n = channel.read(dst, at);
            if (n < 0) throw new EOFException("the file ends at " + at + " of " + sizeBytes + " bytes: truncated");
            at += n;
        }
    }

    private void writeAll(long offsetBytes, ByteBuffer src) throws IOException {
        checkFlush();
        long startNs = System.nanoTime();
        int length = src.remaining();
        troubles.enter();
        writeFully(offsetBytes, troubles.toWrite(medium, offsetBytes, src));
        health.onWritten(length, System.nanoTime() - startNs);
        saveHealthNowAndThen();
    }

    private void writeFully(long offsetBytes, ByteBuffer src) throws IOException {
        long at = offsetBytes;
        while (src.hasRemaining()) at += channel.write(src, at);
    }

    private void checkFlush() throws IOException {
        if (isFlushBroken) throw new IOException("an earlier flush failed; the device is read-only until opened again");
    }

    private void runFlushes() {
        List<Request> batch = new ArrayList<>();
        for (Request r = flushes.poll(); r != null; r = flushes.poll()) batch.add(r);
        if (batch.isEmpty()) return;
        try {
            if (isFlushBroken) throw new IOException("an earlier flush failed; what was written since is suspect");
            troubles.enter();
            channel.force(false);
        } catch (IOException e) {
            if (channel.isOpen()) isFlushBroken = true;
            for (Request r : batch) fail(r, e);
            return;
        }
        for (Request r : batch) r.answer(DeviceStatus.OK, "");
    }

    /** Sees what the files beside the device tell it to do wrong, and to be. */
    void lookForTroubles() {
        troubles.look();
        smart.look(System.nanoTime());
    }

    private void saveHealthNowAndThen() {
        long nowNs = System.nanoTime();
        if (nowNs - healthSavedNs < HEALTH_SAVE_NS) return;
        healthSavedNs = nowNs;
        health.save();
    }

    @Override
    public DeviceHealth health() {
        return smart.over(health.health());
    }

    @Override
    public void close() {
        if (!isClosing.compareAndSet(false, true)) return;
        threads.shutdown();
        boolean isDrained = false;
        try {
            isDrained = threads.awaitTermination(CLOSE_WAIT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try {
            if (isDrained && !isFlushBroken) channel.force(false);
        } catch (IOException e) {
            health.onMediaError();
        }
        if (!isDrained) threads.getQueue().clear();
        for (Request r : pending) r.answer(DeviceStatus.GONE, path + " was closed");
        troubles.close();
        // Closing waits for a thread that is stuck in the kernel: then somebody else has to do the waiting.
        if (isDrained) closeChannel();
        else {
            Thread closer = new Thread(this::closeChannel, "nvme-spdk-close-" + path.getFileName());
            closer.setDaemon(true);
            closer.start();
        }
    }

    private void closeChannel() {
        try {
            channel.close();
        } catch (IOException e) {
            health.onMediaError();
        }
        health.onClosed();
        onClosed.accept(this);
    }
}
