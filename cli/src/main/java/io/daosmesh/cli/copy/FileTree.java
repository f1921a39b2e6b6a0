package io.daosmesh.cli.copy;

import java.nio.ByteBuffer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A tree of files that can be copied from and to: a local folder, or the file system of a container. Any thread. */
public interface FileTree extends AutoCloseable {
    /**
     * What an item is; {@code OTHER} (sockets, devices) is not copied, nor is {@code UNUSABLE}, which is a fault, nor
     * {@code GONE}, which was there when its directory was read.
     */
    enum Type {
        FILE,
        DIRECTORY,
        LINK,
        OTHER,
        UNUSABLE,
        GONE
    }

    /**
     * One name in a tree.
     *
     * @param path relative to the tree's start, {@code a/b}; empty = the start itself
     * @param text of a link: its target; of what is unusable: why; else empty
     * @param identity of directories: two with the same are one; empty = there is no other way to it
     */
    record Item(String path, Type type, int mode, long mtimeNs, long size, String text, String identity) {
        /** What is there but cannot be had, so that it can be told; its path is for people only. */
        static Item unusable(String path, String why) {
            return new Item(path, Type.UNUSABLE, 0, 0, 0, why, "");
        }

        static Item gone(String path) {
            return new Item(path, Type.GONE, 0, 0, 0, "", "");
        }

        /** Whoever runs the file runs it as its owner or group. */
        boolean isSetId() {
            return type == Type.FILE && (mode & 06000) != 0;
        }

        Item withoutSetId() {
            return new Item(path, type, mode & ~06000, mtimeNs, size, text, identity);
        }

        String name() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        /** The same content as far as size and time tell; local times are only good to a microsecond. */
        boolean looksLike(Item other) {
            return type == other.type && size == other.size && mtimeNs / 1000 == other.mtimeNs / 1000;
        }

        Item at(String otherPath) {
            return new Item(otherPath, type, mode, mtimeNs, size, text, identity);
        }

        /** By its path: it is in the directory itself. */
        boolean isIn(Item directory) {
            String prefix = directory.path.isEmpty() ? "" : directory.path + "/";
            return path.startsWith(prefix) && LocalFolder.isName(path.substring(prefix.length()));
        }
    }

    /** Where the tree's start is, however it was named: links are followed as far as there is something. */
    Mono<String> place();

    /** Empty when there is nothing. */
    Mono<Item> stat(String path);

    /** Items of a directory, at the consumer's pace. */
    Flux<Item> list(String path);

    /** Content of a file; NONEXIST when there is none of this name any more. Buffers belong to the consumer. */
    Flux<ByteBuffer> read(String path);

    /** Makes or keeps a directory; in a local folder only its owner may use it until its attributes are set. */
    Mono<Void> makeDirectory(String path, int mode);

    /** Writes a file with mode and time; it appears when complete. */
    Mono<Void> write(Item item, Flux<ByteBuffer> content);

    Mono<Void> makeLink(Item item);

    /** Of a directory, when all below it has been written. */
    Mono<Void> setAttributes(String path, int mode, long mtimeNs);

    @Override
    default void close() {}
}
