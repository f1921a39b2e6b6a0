package io.daosmesh.client.dfs;

import io.daosmesh.model.id.ObjectId;
import java.util.Arrays;
import java.util.Optional;

/**
 * What a directory says about a name. Immutable.
 *
 * @param mode permission bits, {@code 0755} style
 * @param mtimeNs last change of the content, since 1970
 * @param size file: bytes when it was closed; symbolic link: bytes of its target
 * @param object file: its array; directory: its key-value object; symbolic link: id 0.0
 * @param chunkBytes file: chunk size of its array
 * @param sha256 file: digest of the content as it was written, 32 bytes; empty = not known
 * @param linkTarget symbolic link: where it points to, as {@link NameBytes}
 * @param sharedSinceNs 0, or since when another name may stand for the same object, because it is or was being renamed
 */
public record DfsEntry(
        Type type,
        int mode,
        long mtimeNs,
        long size,
        ObjectId object,
        int chunkBytes,
        byte[] sha256,
        String linkTarget,
        long sharedSinceNs) {
    /** Kind of an entry. */
    public enum Type {
        FILE(0),
        DIRECTORY(1),
        SYMLINK(2);

        private final int code;

        Type(int code) {
            this.code = code;
        }

        /** Part of the layout. */
        int code() {
            return code;
        }

        static Optional<Type> of(int code) {
            return Arrays.stream(values()).filter(t -> t.code == code).findFirst();
        }
    }

    static final int MODE_MASK = 07777;
    private static final ObjectId NO_OBJECT = new ObjectId(0, 0);
    private static final byte[] NO_DIGEST = {};

    static DfsEntry directory(int mode, long mtimeNs, ObjectId object) {
        return new DfsEntry(Type.DIRECTORY, mode & MODE_MASK, mtimeNs, 0, object, 0, NO_DIGEST, "", 0);
    }

    static DfsEntry link(String target, long mtimeNs) {
        long size = NameBytes.of(target).length;
        return new DfsEntry(Type.SYMLINK, 0777, mtimeNs, size, NO_OBJECT, 0, NO_DIGEST, target, 0);
    }

    DfsEntry withAttributes(Attributes attributes) {
        return new DfsEntry(
                type,
                attributes.mode() & MODE_MASK,
                attributes.mtimeNs(),
                size,
                object,
                chunkBytes,
                sha256,
                linkTarget,
                sharedSinceNs);
    }

    DfsEntry withShared(long sinceNs) {
        return new DfsEntry(type, mode, mtimeNs, size, object, chunkBytes, sha256, linkTarget, sinceNs);
    }

    /** Whoever takes this name away leaves the object alone. */
    public boolean isShared() {
        return sharedSinceNs != 0;
    }

    boolean hasObject() {
        return type != Type.SYMLINK;
    }

    /** Both names stand for one file or directory. */
    boolean isSameObject(DfsEntry other) {
        return hasObject() && other.hasObject() && object.equals(other.object);
    }

    public boolean isDirectory() {
        return type == Type.DIRECTORY;
    }

    public boolean isFile() {
        return type == Type.FILE;
    }

    /** Settable part of an entry. */
    public record Attributes(int mode, long mtimeNs) {}

    public Attributes attributes() {
        return new Attributes(mode, mtimeNs);
    }

    /** {@code drwxr-xr-x}, as ls prints. */
    public String modeText() {
        StringBuilder text = new StringBuilder();
        text.append(isDirectory() ? 'd' : isFile() ? '-' : 'l');
        for (int bit = 8; bit >= 0; bit--) {
            text.append((mode >> bit & 1) == 1 ? "rwx".charAt((8 - bit) % 3) : '-');
        }
        return text.toString();
    }
}
