package io.daosmesh.cli.daos;

import io.daosmesh.cli.copy.ContainerTree;
import io.daosmesh.cli.copy.FileTree;
import io.daosmesh.cli.copy.LocalTree;
import io.daosmesh.cli.copy.Progress;
import io.daosmesh.cli.copy.TreeCopy;
import io.daosmesh.cli.start.LocalZone;
import io.daosmesh.client.Blocking;
import io.daosmesh.client.dfs.Dfs;
import io.daosmesh.client.dfs.DfsDirectory;
import io.daosmesh.client.dfs.DfsEntry;
import io.daosmesh.client.dfs.DfsPath;
import io.daosmesh.client.dfs.NameBytes;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.text.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import reactor.core.publisher.Flux;

/** {@code daos filesystem}. */
@Command(
        name = "filesystem",
        aliases = "fs",
        description = "Files of a POSIX container.",
        mixinStandardHelpOptions = true,
        subcommands = {
            DaosFilesystem.Copy.class,
            DaosFilesystem.ListFiles.class,
            DaosFilesystem.Cat.class,
            DaosFilesystem.Remove.class
        })
final class DaosFilesystem implements DaosCommand.Group {
    @ParentCommand
    private DaosCommand.@Nullable Group parent;

    @Override
    public Daos daos() {
        return Objects.requireNonNull(parent).daos();
    }

    private static Dfs mount(DaosSession session, DaosAddress address) {
        return Blocking.get(Dfs.mount(session.container(address.pool(), address.container())));
    }

    private static Dfs mountToRead(DaosSession session, DaosAddress address) {
        return Blocking.get(Dfs.mount(session.containerToRead(address.pool(), address.container())));
    }

    @Command(
            name = "copy",
            aliases = "cp",
            description = {
                "Copies a file, or with --recursive the content of a directory, in or out of a container.",
                "Names, sizes, modes and times are kept; runs of zeros become holes. A copy that was cut short leaves no",
                "half files: run it again, and files of equal size and time are skipped.",
                "Every piece is acknowledged with its CRC32C; files in a container keep the SHA-256 of their source,",
                "which is compared whenever they are read. --verify also reads each copy back at once."
            },
            mixinStandardHelpOptions = true)
    static final class Copy extends DaosCommand {
        private static final int LINKS_MAX = 40;

        @Option(names = "--src", required = true, paramLabel = "SRC", description = "A path, or daos://POOL/CONT/PATH.")
        private String src = "";

        @Option(
                names = "--dst",
                required = true,
                paramLabel = "DST",
                description =
                        "Likewise. A directory's content goes into DST; a file becomes DST, or DST/NAME if DST is a"
                                + " directory.")
        private String dst = "";

        @Option(
                names = {"-r", "--recursive"},
                description = "With everything below.")
        private boolean recursive;

        @Option(names = "--verify", description = "Read each copy back and compare SHA-256.")
        private boolean verify;

        @Option(
                names = "--preserve-setid",
                description = "Out of a container: files keep setuid and setgid. Only if you trust whoever wrote it.")
        private boolean preserveSetId;

        @Override
        Answer run() {
            try (FileTree from = source()) {
                return copy(from);
            }
        }

        private Answer copy(FileTree from) {
            FileTree.Item source = Blocking.find(from.stat("")).orElseThrow(() -> absent(src));
            if (source.type() == FileTree.Type.OTHER) {
                throw Fault.of(FaultCode.INVAL, "'%s' is a pipe, socket or device", src)
                        .remedy("copy files, directories or links")
                        .asException();
            }
            if (source.type() == FileTree.Type.DIRECTORY && !recursive) {
                throw Fault.of(FaultCode.INVAL, "'%s' is a directory", src)
                        .remedy("copy it with --recursive")
                        .asException();
            }
            long startNs = System.nanoTime();
            long total = daos().context().isTerminal() ? Blocking.get(TreeCopy.size(from)) : 0;
            try (Progress progress =
                    new Progress(daos().context().isTerminal(), daos().context().err(), total)) {
                boolean isDirectory = source.type() == FileTree.Type.DIRECTORY;
                if (isDirectory) refuseIntoItself(from, tree(dst));
                Target target = isDirectory ? new Target(tree(dst), "") : forFile();
                try (FileTree to = target.tree()) {
                    boolean setId = preserveSetId || DaosAddress.isOne(dst);
                    TreeCopy copy = new TreeCopy(from, to, new TreeCopy.Choice(verify, setId), progress);
                    Blocking.run(copy.run(source, target.name()));
                    return answer(copy, (System.nanoTime() - startNs) / 1e9);
                }
            }
        }

        /** Before anything is written: it would never end. */
        private void refuseIntoItself(FileTree from, FileTree to) {
            String source = Blocking.get(from.place());
            String target = Blocking.get(to.place());
            boolean isInside = target.startsWith(source.endsWith("/") ? source : source + "/");
            if (!isInside && !target.equals(source)) return;
            throw Fault.of(FaultCode.INVAL, "'%s' cannot be copied into itself, '%s'", src, dst)
                    .remedy("choose a destination outside of the source")
                    .asException();
        }

        private record Target(FileTree tree, String name) {}

        /** The parent as tree, so that it can be made and the name set in it. */
        private Target forFile() {
            FileTree at = tree(dst);
            boolean isDirectory = dst.endsWith("/")
                    || Blocking.find(at.stat(""))
                            .map(item -> item.type() == FileTree.Type.DIRECTORY)
                            .orElse(false)
                    || !DaosAddress.isOne(dst) && Files.isDirectory(Path.of(dst));
            String name = isDirectory ? nameOf(src) : nameOf(dst);
            FileTree folder = isDirectory ? at : parentOf(dst);
            Blocking.run(folder.makeDirectory("", 0755));
            return new Target(folder, name);
        }

        private static String nameOf(String address) {
            if (DaosAddress.isOne(address))
                return DaosAddress.parse(address).path().name();
            return Path.of(address).toAbsolutePath().normalize().getFileName().toString();
        }

        private FileTree parentOf(String address) {
            if (DaosAddress.isOne(address)) {
                DaosAddress at = DaosAddress.parse(address);
                return new ContainerTree(mount(session(), at), at.path().parent());
            }
            Path parent = Path.of(address).toAbsolutePath().normalize().getParent();
            return new LocalTree(parent == null ? Path.of("/") : parent);
        }

        /** A link that the user names stands for what it leads to; those below stay links. */
        private FileTree source() {
            if (!DaosAddress.isOne(src)) return new LocalTree(followed(Path.of(src)));
            DaosAddress at = DaosAddress.parse(src);
            Dfs dfs = mountToRead(session(), at);
            DfsPath path = at.path();
            for (int links = 0; links < LINKS_MAX; links++) {
                DfsEntry entry = Blocking.find(dfs.stat(path)).orElseThrow(() -> absent(src));
                if (entry.type() != DfsEntry.Type.SYMLINK) break;
                path = path.parent().resolve(entry.linkTarget());
            }
            return new ContainerTree(dfs, path);
        }

        private Path followed(Path path) {
            try {
                return Files.isSymbolicLink(path) ? path.toRealPath() : path;
            } catch (IOException e) {
                throw absent(src);
            }
        }

        private static RuntimeException absent(String address) {
            return Fault.of(FaultCode.NONEXIST, "'%s' does not exist", address)
                    .remedy("check the path")
                    .asException();
        }

        private FileTree tree(String address) {
            if (!DaosAddress.isOne(address)) return new LocalTree(Path.of(address));
            DaosAddress at = DaosAddress.parse(address);
            return new ContainerTree(mount(session(), at), at.path());
        }

        private Answer answer(TreeCopy copy, double seconds) {
            double mbPerS = seconds > 0 ? copy.bytes.sum() / 1e6 / seconds : 0;
            long retries = DaosAddress.isOne(src) || DaosAddress.isOne(dst)
                    ? session().client().stats().retries()
                    : 0;
            boolean isAll = copy.refused.count() == 0;
            StringBuilder text = new StringBuilder(
                    (isAll ? "Successfully copied to " : "Copied in part to ") + Printable.of(dst) + "\n");
            line(text, "Directories", copy.directoryCount());
            line(text, "Files", copy.files.sum());
            line(text, "Links", copy.links.sum());
            exceptions(text, copy);
            line(text, "Bytes", copy.bytes.sum());
            line(text, "Speed", String.format(Locale.ROOT, "%.1f MB/s in %.1f s", mbPerS, seconds));
            line(text, "Retries", retries);
            String verified = verify ? "sha256 read back" : "crc32c acknowledged, sha256 kept";
            line(text, "Verified", verified);
            return new Answer(
                    text.toString(),
                    object(
                            "src",
                            src,
                            "dst",
                            dst,
                            "directories",
                            copy.directoryCount(),
                            "files",
                            copy.files.sum(),
                            "links",
                            copy.links.sum(),
                            "unchanged",
                            copy.skipped.sum(),
                            "not_copied",
                            copy.others.sum(),
                            "vanished",
                            copy.vanished.sum(),
                            "without_setid",
                            copy.withoutSetId.sum(),
                            "left_out",
                            copy.refused.count(),
                            "left_out_first",
                            copy.refused.json(),
                            "bytes",
                            copy.bytes.sum(),
                            "duration_s",
                            seconds,
                            "mb_per_s",
                            mbPerS,
                            "retries",
                            retries,
                            "verified",
                            verified),
                    isAll ? null : copy.refused.fault());
        }

        /** What was not copied, or not as it was. */
        private static void exceptions(StringBuilder text, TreeCopy copy) {
            if (copy.skipped.sum() > 0) line(text, "Unchanged", copy.skipped.sum());
            if (copy.others.sum() > 0) line(text, "Not copied", copy.others.sum() + " (sockets, pipes, devices)");
            if (copy.vanished.sum() > 0) line(text, "Vanished", copy.vanished.sum() + " (removed meanwhile)");
            if (copy.withoutSetId.sum() > 0)
                line(text, "No set-id", copy.withoutSetId.sum() + " (--preserve-setid keeps these bits)");
            if (copy.refused.count() > 0) line(text, "Left out", copy.refused.count());
            copy.refused.text(text);
        }

        private static void line(StringBuilder text, String name, Object value) {
            text.append(String.format(Locale.ROOT, "    %-12s %s%n", name + ":", value));
        }
    }

    @Command(name = "list", aliases = "ls", description = "Lists a directory.", mixinStandardHelpOptions = true)
    static final class ListFiles extends DaosCommand {
        @Parameters(paramLabel = "daos://POOL/CONT/PATH")
        private String address = "";

        @Override
        Answer run() {
            DaosAddress at = DaosAddress.parse(address);
            Dfs dfs = mountToRead(session(), at);
            DfsEntry self = Blocking.get(dfs.stat(at.path()));
            List<DfsDirectory.Named> all = self.isFile()
                    ? List.of(DfsDirectory.Named.of(at.path().name(), self))
                    : Blocking.list(dfs.directory(at.path())
                            .flatMapMany(directory ->
                                    directory.list().sort(Comparator.comparing(DfsDirectory.Named::name))));
            StringBuilder text = new StringBuilder();
            all.forEach(named -> line(text, named));
            return new Answer(text.toString(), all.stream().map(ListFiles::json).toList());
        }

        private static void line(StringBuilder text, DfsDirectory.Named named) {
            DfsEntry e = named.entry();
            if (e == null) {
                text.append(String.format(Locale.ROOT, "%s %12s %s %s", "?---------", "?", "?", named.shown()));
            } else {
                text.append(String.format(
                        Locale.ROOT, "%s %12d %s %s", e.modeText(), e.size(), time(e.mtimeNs()), named.shown()));
                if (!e.linkTarget().isEmpty()) text.append(" -> ").append(Printable.of(e.linkTarget()));
            }
            if (!named.isUsable()) {
                text.append(" (").append(Printable.line(named.problem())).append(')');
            }
            text.append('\n');
        }

        private static Map<String, @Nullable Object> json(DfsDirectory.Named named) {
            DfsEntry e = named.entry();
            boolean isLink = e != null && e.type() == DfsEntry.Type.SYMLINK;
            HexFormat hex = HexFormat.of();
            return object(
                    "name", named.name(),
                    "type", e == null ? null : e.type().name().toLowerCase(Locale.ROOT),
                    "mode", e == null ? null : String.format(Locale.ROOT, "%04o", e.mode()),
                    "size", e == null ? null : e.size(),
                    "mtime", e == null ? null : time(e.mtimeNs()),
                    "oid", e == null || isLink ? null : e.object().toString(),
                    "sha256", e == null || e.sha256().length == 0 ? null : hex.formatHex(e.sha256()),
                    "link_target", e == null || !isLink ? null : e.linkTarget(),
                    "problem", named.isUsable() ? null : named.problem(),
                    "name_hex", named.isUsable() && NameBytes.isText(named.name()) ? null : hex.formatHex(named.key()));
        }

        private static String time(long mtimeNs) {
            return Instant.ofEpochSecond(0, mtimeNs)
                    .atZone(LocalZone.get())
                    .format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
        }
    }

    @Command(name = "cat", description = "Prints a file.", mixinStandardHelpOptions = true)
    static final class Cat extends DaosCommand {
        @Parameters(paramLabel = "daos://POOL/CONT/PATH")
        private String address = "";

        @Override
        Answer run() {
            DaosAddress at = DaosAddress.parse(address);
            Flux<ByteBuffer> content = mountToRead(session(), at).read(at.path());
            long size = 0;
            try (Stream<ByteBuffer> pieces = content.toStream(1)) {
                for (ByteBuffer piece : (Iterable<ByteBuffer>) pieces::iterator) {
                    size += piece.remaining();
                    if (!daos().isJson()) {
                        daos().context()
                                .out()
                                .write(piece.array(), piece.arrayOffset() + piece.position(), piece.remaining());
                    }
                }
            }
            return new Answer("", object("path", at.path().toString(), "size", size));
        }
    }

    @Command(
            name = "remove",
            aliases = "rm",
            description = "Removes a file or directory.",
            mixinStandardHelpOptions = true)
    static final class Remove extends DaosCommand {
        @Parameters(paramLabel = "daos://POOL/CONT/PATH")
        private String address = "";

        @Option(
                names = {"-r", "--recursive"},
                description = "With everything below.")
        private boolean recursive;

        @Option(
                names = "--hex",
                paramLabel = "NAME",
                description =
                        "What has this name in the directory PATH; in hexadecimal, for a name that cannot be typed.")
        private @Nullable String hex;

        @Override
        Answer run() {
            DaosAddress at = DaosAddress.parse(address);
            DfsPath path = at.path();
            Dfs dfs = mount(session(), at);
            String name = hex;
            if (name == null) Blocking.run(dfs.remove(path, recursive));
            else Blocking.run(dfs.remove(Blocking.get(dfs.directory(path)), KvKey.parse(name, true), recursive));
            return new Answer("", object("path", path.toString(), "name_hex", name));
        }
    }
}
