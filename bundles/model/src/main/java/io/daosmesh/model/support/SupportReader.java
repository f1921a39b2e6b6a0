package io.daosmesh.model.support;

import com.google.protobuf.ByteString;
import io.daosmesh.model.wire.SupportPart;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a collection piece by piece, each when it is asked for: nothing is held but one piece. Of a long file the end is taken, and when
 * all that is allowed is used up the rest is named and left out. Owner: whoever reads; one thread at a time.
 */
public final class SupportReader implements Iterator<SupportPart>, AutoCloseable {
    /** Of one piece. */
    public static final int PART_BYTES = 256 << 10;

    public static final long FILE_BYTES_MAX = 64L << 20;
    public static final long ALL_BYTES_MAX = 512L << 20;

    private final Iterator<SupportItem> items;
    private final long fileBytesMax;
    private long leftBytes;
    private @Nullable SupportItem item; // the one that is being read
    private @Nullable FileChannel channel; // of a file that is being read
    private long fileLeftBytes;

    public SupportReader(List<SupportItem> items) {
        this(items, FILE_BYTES_MAX, ALL_BYTES_MAX);
    }

    public SupportReader(List<SupportItem> items, long fileBytesMax, long allBytesMax) {
        this.items = List.copyOf(items).iterator();
        this.fileBytesMax = fileBytesMax;
        this.leftBytes = allBytesMax;
    }

    @Override
    public boolean hasNext() {
        return channel != null || items.hasNext();
    }

    @Override
    public SupportPart next() {
        FileChannel open = channel;
        SupportItem now = item;
        if (open != null && now != null) return read(now, open);
        if (!items.hasNext()) throw new NoSuchElementException();
        SupportItem next = items.next();
        item = next;
        return next.file() == null ? made(next) : opened(next);
    }

    private SupportPart made(SupportItem of) {
        String text;
        try {
            text = of.text() == null ? "" : of.text().get();
        } catch (RuntimeException e) {
            text = "not available: " + e + "\n";
        }
        byte[] bytes = Secrets.hidden(text).getBytes(StandardCharsets.UTF_8);
        int length = (int) Math.min(bytes.length, Math.min(leftBytes, 4L * PART_BYTES));
        leftBytes -= length;
        return SupportPart.newBuilder()
                .setName(of.name())
                .setData(ByteString.copyFrom(bytes, 0, length))
                .setIsFirst(true)
                .setCutBytes(bytes.length - length)
                .build();
    }

    private SupportPart opened(SupportItem of) {
        SupportPart.Builder first = SupportPart.newBuilder().setName(of.name()).setIsFirst(true);
        if (of.file() == null) return first.build();
        try {
            // between the listing and now it may have become a link
            FileChannel open = FileChannel.open(of.file(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
            channel = open;
            long size = open.size();
            fileLeftBytes = Math.min(size, Math.min(fileBytesMax, leftBytes));
            open.position(size - fileLeftBytes);
            first.setCutBytes(size - fileLeftBytes);
            return read(of, open).toBuilder().mergeFrom(first.build()).build();
        } catch (IOException e) {
            close();
            return first.setError(String.valueOf(e.getMessage())).build();
        }
    }

    private SupportPart read(SupportItem of, FileChannel open) {
        SupportPart.Builder part = SupportPart.newBuilder().setName(of.name());
        try {
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(PART_BYTES, fileLeftBytes));
            int count = buffer.hasRemaining() ? open.read(buffer) : -1;
            // it may have been cut short meanwhile
            if (count > 0) {
                fileLeftBytes -= count;
                leftBytes -= count;
                part.setData(ByteString.copyFrom(buffer.flip()));
            }
            if (count < 0 || fileLeftBytes == 0) close();
        } catch (IOException e) {
            close();
            part.setError(String.valueOf(e.getMessage()));
        }
        return part.build();
    }

    /** What is left is not read. */
    @Override
    public void close() {
        FileChannel open = channel;
        channel = null;
        if (open == null) return;
        try {
            open.close();
        } catch (IOException e) {
            // it was only read
        }
    }
}
