package io.daosmesh.cli.daos;

import io.daosmesh.cli.copy.LocalTree;
import io.daosmesh.client.Blocking;
import io.daosmesh.client.KeyValue;
import io.daosmesh.client.value.Condition;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code daos kv}: a container's key-value object, for scripts. */
@Command(
        name = "kv",
        description = "Key-value pairs of a container.",
        mixinStandardHelpOptions = true,
        subcommands = {DaosKv.Put.class, DaosKv.Get.class, DaosKv.ListKeys.class, DaosKv.Remove.class})
final class DaosKv implements DaosCommand.Group {
    private static final int VALUE_BYTES_MAX = 8 << 20;

    @ParentCommand
    private DaosCommand.@Nullable Group parent;

    @Override
    public Daos daos() {
        return Objects.requireNonNull(parent).daos();
    }

    private static RuntimeException absent(String key) {
        return Fault.of(FaultCode.NONEXIST, "key '%s' does not exist", key)
                .remedy("list the keys with: daos kv list POOL CONT")
                .asException();
    }

    /** What a put expects to find. */
    static final class OnlyIf {
        @Option(names = "--if-absent", required = true, description = "Fails (DER_EXIST) when the key is there.")
        private boolean isAbsent;

        @Option(
                names = "--if-version",
                required = true,
                paramLabel = "VERSION",
                description = "Fails (DER_TX_RESTART) when the value has another one; see: daos kv get --show-version.")
        private long version;

        void put(KeyValue to, byte[] key, byte[] value) {
            if (isAbsent) Blocking.run(to.put(key, value, Condition.INSERT));
            else Blocking.get(to.put(key, value, version));
        }
    }

    @Command(name = "put", description = "Stores a value.", mixinStandardHelpOptions = true)
    static final class Put extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Parameters(index = "2", paramLabel = "KEY")
        private String key = "";

        @Parameters(index = "3", paramLabel = "FILE", arity = "0..1", description = "- or absent: standard input.")
        private String file = "-";

        @Option(names = "--hex", description = "KEY is in hexadecimal, two digits a byte.")
        private boolean hex;

        @ArgGroup
        private @Nullable OnlyIf onlyIf;

        @Override
        Answer run() {
            byte[] name = KvKey.parse(key, hex);
            byte[] value = read();
            if (value.length > VALUE_BYTES_MAX) {
                throw Fault.of(FaultCode.REC2BIG, "a value has at most %d bytes", VALUE_BYTES_MAX)
                        .remedy("store it as a file: daos filesystem copy")
                        .asException();
            }
            KeyValue root = Blocking.get(session().container(pool, container).keyValueRoot());
            if (onlyIf == null) Blocking.run(root.put(name, value, Condition.NONE));
            else onlyIf.put(root, name, value);
            return new Answer("", object("key", key, "size", value.length));
        }

        private byte[] read() {
            try {
                if (file.equals("-")) return daos().context().in().readNBytes(VALUE_BYTES_MAX + 1);
                try (InputStream in = Files.newInputStream(Path.of(file))) {
                    return in.readNBytes(VALUE_BYTES_MAX + 1);
                }
            } catch (IOException e) {
                throw LocalTree.unreadable(file, e);
            }
        }
    }

    @Command(name = "get", description = "Reads a value.", mixinStandardHelpOptions = true)
    static final class Get extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Parameters(index = "2", paramLabel = "KEY")
        private String key = "";

        @Parameters(index = "3", paramLabel = "FILE", arity = "0..1", description = "- or absent: standard output.")
        private String file = "-";

        @Option(names = "--hex", description = "KEY is in hexadecimal, two digits a byte.")
        private boolean hex;

        @Option(names = "--show-version", description = "Writes the value's version to standard error.")
        private boolean showsVersion;

        @Override
        Answer run() {
            Optional<KeyValue> root =
                    Blocking.find(session().containerToRead(pool, container).existingKeyValueRoot());
            byte[] name = KvKey.parse(key, hex);
            KeyValue.Versioned found =
                    root.flatMap(kv -> Blocking.find(kv.getVersioned(name))).orElseThrow(() -> absent(key));
            byte[] value = found.value();
            if (showsVersion && !daos().isJson()) daos().context().err().println(found.version());
            if (!file.equals("-")) {
                try {
                    Files.write(Path.of(file), value);
                } catch (IOException e) {
                    throw LocalTree.unreadable(file, e);
                }
            } else if (!daos().isJson()) {
                daos().context().out().writeBytes(value);
            }
            String base64 = file.equals("-") ? Base64.getEncoder().encodeToString(value) : null;
            // as text: it has more digits than a number of JSON keeps
            String version = Long.toString(found.version());
            return new Answer("", object("key", key, "size", value.length, "version", version, "value_base64", base64));
        }
    }

    @Command(name = "list", aliases = "ls", description = "Lists the keys.", mixinStandardHelpOptions = true)
    static final class ListKeys extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Option(names = "--hex", description = "Keys in hexadecimal.")
        private boolean hex;

        @Override
        Answer run() {
            Optional<KeyValue> root =
                    Blocking.find(session().containerToRead(pool, container).existingKeyValueRoot());
            List<String> keys = root.map(kv -> Blocking.list(
                            kv.list().map(hex ? KvKey::hex : KvKey::show).sort()))
                    .orElse(List.of());
            StringBuilder text = new StringBuilder();
            keys.forEach(key -> text.append(key).append('\n'));
            return new Answer(text.toString(), keys);
        }
    }

    @Command(
            name = "remove",
            aliases = {"rm", "del"},
            description = "Removes a key.",
            mixinStandardHelpOptions = true)
    static final class Remove extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Parameters(index = "2", paramLabel = "KEY")
        private String key = "";

        @Option(names = "--hex", description = "KEY is in hexadecimal, two digits a byte.")
        private boolean hex;

        @Override
        Answer run() {
            Optional<KeyValue> root =
                    Blocking.find(session().container(pool, container).existingKeyValueRoot());
            if (root.isEmpty()) throw absent(key);
            try {
                Blocking.run(root.get().remove(KvKey.parse(key, hex), Condition.EXISTING));
            } catch (FaultException e) {
                throw e.code() == FaultCode.NONEXIST ? absent(key) : e;
            }
            return new Answer("", object("key", key));
        }
    }
}
