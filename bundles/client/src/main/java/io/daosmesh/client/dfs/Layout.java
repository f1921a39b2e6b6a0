package io.daosmesh.client.dfs;

import io.daosmesh.client.ArrayObject;
import io.daosmesh.client.Container;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Bytes of entries and of the superblock, as stored. Immutable. */
final class Layout {
    private static final long MAGIC = 0x44_4d_44_46_53_00_0d_0aL; // "DMDFS", end of line: shows a text-mode copy
    private static final int SUPERBLOCK_LAYOUT = 1;
    private static final byte ENTRY_LAYOUT = 1;
    /** With the mark of a rename at the end; only where there is one, so that older releases refuse just those. */
    private static final byte ENTRY_LAYOUT_MARK = 2;

    private static final int TEXT_BYTES_MAX = 4096;
    private static final int SHA256_BYTES = 32;

    private Layout() {}

    /**
     * What a container needs to be a file system.
     *
     * @param chunkBytes for files that are made
     */
    record Superblock(int chunkBytes, DfsEntry root) {
        static Superblock of(DfsEntry root) {
            return new Superblock(ArrayObject.CHUNK_BYTES, root);
        }
    }

    static byte[] write(Superblock superblock) {
        byte[] root = write(superblock.root());
        ByteBuffer b = ByteBuffer.allocate(8 + 4 + 4 + 4 + root.length + 4);
        b.putLong(MAGIC).putInt(SUPERBLOCK_LAYOUT).putInt(superblock.chunkBytes());
        b.putInt(root.length).put(root);
        return b.putInt(crc(b.array(), b.position())).array();
    }

    /** DF_INVAL when damaged, DF_INCOMPT when a newer release wrote it. */
    static Superblock readSuperblock(byte[] bytes) {
        try {
            ByteBuffer b = ByteBuffer.wrap(bytes);
            if (b.getLong() != MAGIC) throw damaged("superblock");
            int layout = b.getInt();
            if (layout != SUPERBLOCK_LAYOUT) throw newer("superblock", layout);
            if (b.getInt(bytes.length - 4) != crc(bytes, bytes.length - 4)) throw damaged("superblock");
            int chunkBytes = b.getInt();
            return new Superblock(chunkBytes, readEntry(sized(b, b.getInt())));
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw damaged("superblock");
        }
    }

    static byte[] write(DfsEntry entry) {
        byte[] link = NameBytes.of(entry.linkTarget());
        if (link.length > TEXT_BYTES_MAX) {
            throw Fault.of(FaultCode.INVAL, "a link's target has at most %d bytes", TEXT_BYTES_MAX)
                    .asException();
        }
        int mark = entry.isShared() ? Long.BYTES : 0;
        ByteBuffer b = ByteBuffer.allocate(2 + 4 + 8 + 8 + 16 + 4 + 2 + entry.sha256().length + 2 + link.length + mark);
        b.put(entry.isShared() ? ENTRY_LAYOUT_MARK : ENTRY_LAYOUT)
                .put((byte) entry.type().code())
                .putInt(entry.mode());
        b.putLong(entry.mtimeNs()).putLong(entry.size());
        b.put(Container.bytesOf(entry.object())).putInt(entry.chunkBytes());
        b.putShort((short) entry.sha256().length).put(entry.sha256());
        b.putShort((short) link.length).put(link);
        if (entry.isShared()) b.putLong(entry.sharedSinceNs());
        return b.array();
    }

    /** No checksum of its own: the store keeps one with every value. */
    static DfsEntry readEntry(byte[] bytes) {
        try {
            ByteBuffer b = ByteBuffer.wrap(bytes);
            int layout = b.get();
            if (layout != ENTRY_LAYOUT && layout != ENTRY_LAYOUT_MARK) throw newer("directory entry", layout);
            DfsEntry.Type type = DfsEntry.Type.of(b.get()).orElseThrow(() -> damaged("directory entry"));
            int mode = b.getInt();
            long mtimeNs = b.getLong();
            long size = b.getLong();
            byte[] object = sized(b, 16);
            int chunkBytes = b.getInt();
            byte[] sha256 = sized(b, b.getShort());
            String link = NameBytes.text(sized(b, b.getShort()));
            long sharedSinceNs = layout == ENTRY_LAYOUT_MARK ? b.getLong() : 0;
            DfsEntry entry = new DfsEntry(
                    type,
                    mode & DfsEntry.MODE_MASK,
                    mtimeNs,
                    size,
                    Container.idFrom(object),
                    chunkBytes,
                    sha256,
                    link,
                    sharedSinceNs);
            if (!isSound(entry)) throw damaged("directory entry");
            return entry;
        } catch (BufferUnderflowException e) {
            throw damaged("directory entry");
        }
    }

    /** What reading it relies on: whoever may write to the container may have put it there. */
    private static boolean isSound(DfsEntry entry) {
        if (entry.type() == DfsEntry.Type.SYMLINK) {
            return !entry.linkTarget().isEmpty() && entry.linkTarget().indexOf('\0') < 0;
        }
        boolean isFile = entry.isFile();
        return entry.object().isSound()
                && entry.size() >= 0
                && (entry.sha256().length == 0 || entry.sha256().length == SHA256_BYTES)
                && (!isFile || entry.chunkBytes() >= 1 && entry.chunkBytes() <= ArrayObject.CHUNK_BYTES_MAX);
    }

    private static byte[] sized(ByteBuffer from, int length) {
        if (length < 0 || length > from.remaining()) throw new BufferUnderflowException();
        byte[] bytes = new byte[length];
        from.get(bytes);
        return bytes;
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    private static RuntimeException damaged(String what) {
        return Fault.of(FaultCode.DF_INVAL, "%s of the file system is damaged", what)
                .asException();
    }

    private static RuntimeException newer(String what, int layout) {
        return Fault.of(FaultCode.DF_INCOMPT, "%s has layout %d, newer than this release", what, layout)
                .asException();
    }
}
