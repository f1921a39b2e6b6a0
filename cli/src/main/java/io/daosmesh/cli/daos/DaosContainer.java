package io.daosmesh.cli.daos;

import io.daosmesh.admin.grammar.KeyValues;
import io.daosmesh.admin.view.PoolView;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.cli.AclFiles;
import io.daosmesh.cli.start.LocalZone;
import io.daosmesh.client.Blocking;
import io.daosmesh.client.ContainerInfo;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.ContainerHealthMessage;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code daos container}. */
@Command(
        name = "container",
        aliases = "cont",
        description = "Containers of a pool.",
        mixinStandardHelpOptions = true,
        subcommands = {
            DaosContainer.Create.class,
            DaosContainer.ListContainers.class,
            DaosContainer.Query.class,
            DaosContainer.Destroy.class,
            DaosContainerProperties.Get.class,
            DaosContainerProperties.Set.class,
            DaosContainerAcl.Get.class,
            DaosContainerAcl.Overwrite.class,
            DaosContainerAcl.Update.class,
            DaosContainerAcl.Delete.class,
            DaosContainerAcl.SetOwner.class,
            DaosContainer.NotBuilt.class
        })
final class DaosContainer implements DaosCommand.Group {
    @ParentCommand
    private DaosCommand.@Nullable Group parent;

    @Override
    public Daos daos() {
        return Objects.requireNonNull(parent).daos();
    }

    private static Map<String, @Nullable Object> json(Pool pool, ContainerInfo info) {
        return DaosCommand.object(
                "pool_uuid", pool.uuid(),
                "container_uuid", info.uuid(),
                "container_label", info.label(),
                "container_type", info.type(),
                "object_class", info.objectClass(),
                "redundancy_factor", info.redundancyFactor(),
                "status", status(info),
                "properties", info.properties(),
                "created", info.createdHlc() == 0 ? null : time(info.createdHlc()));
    }

    private static String status(ContainerInfo info) {
        return info.isUnclean() ? "UNCLEAN" : "HEALTHY";
    }

    private static String time(long hlc) {
        return Instant.ofEpochMilli(Hlc.toUnixMillis(hlc))
                .truncatedTo(ChronoUnit.MILLIS)
                .atZone(LocalZone.get())
                .format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
    }

    @Command(name = "create", description = "Makes a container.", mixinStandardHelpOptions = true)
    static final class Create extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "LABEL")
        private String label = "";

        @Option(names = "--type", paramLabel = "TYPE", description = "POSIX: a file system.")
        private String type = "";

        @Option(
                names = {"--oclass"},
                paramLabel = "CLASS",
                description = "Class of its objects: S1, SX, RP_2G1, RP_3GX, ...")
        private String objectClass = "";

        @Option(
                names = "--properties",
                paramLabel = "K:V,..",
                description = "rd_fac:N (failures to survive) and others.")
        private @Nullable String properties;

        @Option(
                names = {"-A", "--acl-file"},
                paramLabel = "FILE",
                description = "Access control list, one entry a line.")
        private @Nullable String aclFile;

        @Option(
                names = {"-u", "--user"},
                paramLabel = "USER",
                description = "Owner (default: you).")
        private @Nullable String user;

        @Option(
                names = {"-g", "--group"},
                paramLabel = "GROUP",
                description = "Owning group (default: yours).")
        private @Nullable String group;

        @Override
        Answer run() {
            ContainerSpec.Access access = new ContainerSpec.Access(
                    AclFiles.name(user), AclFiles.name(group), aclFile == null ? List.of() : AclFiles.read(aclFile));
            String kind = type.toUpperCase(Locale.ROOT);
            if (!List.of("", "POSIX", "UNKNOWN").contains(kind)) {
                throw Fault.of(FaultCode.INVAL, "container type '%s'", type)
                        .remedy("use --type POSIX, or none")
                        .asException();
            }
            Map<String, String> pairs = properties == null ? Map.of() : KeyValues.parse(properties);
            String posix = kind.equals("POSIX") ? kind : "";
            Pool at = session().pool(pool);
            ContainerInfo info =
                    Blocking.get(at.makeContainer(new ContainerSpec(label, posix, objectClass, pairs, access)));
            String text = "Successfully created container " + Printable.of(info.label()) + "\n"
                    + "  Container UUID : " + info.uuid() + "\n"
                    + "  Container Label: " + Printable.of(info.label()) + "\n"
                    + "  Container Type : " + Printable.of(info.type()) + "\n"
                    + "  Object Class   : " + Printable.of(info.objectClass()) + "\n";
            return new Answer(text, json(at, info));
        }
    }

    @Command(name = "list", aliases = "ls", description = "Lists a pool's containers.", mixinStandardHelpOptions = true)
    static final class ListContainers extends DaosCommand {
        @Parameters(paramLabel = "POOL")
        private String pool = "";

        @Override
        Answer run() {
            Pool at = session().poolToRead(pool);
            List<ContainerInfo> all = Blocking.get(at.listContainers()).stream()
                    .sorted(Comparator.comparing(ContainerInfo::label))
                    .toList();
            List<?> json = all.stream().map(info -> json(at, info)).toList();
            if (all.isEmpty()) return new Answer("No containers.\n", json);
            TextTable table = new TextTable("UUID", "Label", "Type", "Class");
            all.forEach(c -> table.row(c.uuid(), c.label(), c.type(), c.objectClass()));
            return new Answer(table.render(), json);
        }
    }

    @Command(name = "query", description = "Shows a container.", mixinStandardHelpOptions = true)
    static final class Query extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Override
        Answer run() {
            Pool at = session().poolToRead(pool);
            ContainerInfo info = Blocking.get(at.queryContainer(container));
            ContainerHealthMessage health = health(at, info);
            StringBuilder text = new StringBuilder();
            line(text, "Container UUID", info.uuid());
            line(text, "Container Label", info.label());
            line(text, "Container Type", info.type());
            line(text, "Pool UUID", at.uuid());
            line(text, "Container redundancy factor", info.redundancyFactor());
            line(text, "Object Class", info.objectClass());
            line(text, "Health status", status(info));
            if (health.getUnavailableShare() > 0) line(text, "Unavailable", PoolView.unavailable(health));
            if (info.createdHlc() != 0) line(text, "Created", time(info.createdHlc()));
            Map<String, @Nullable Object> json = new LinkedHashMap<>(json(at, info));
            json.put("unavailable_share", health.getUnavailableShare());
            json.put("missing_ranks", health.getMissingRanksList());
            return new Answer(text.toString(), json);
        }

        /** What is out of reach now; nothing is where all is well. */
        private static ContainerHealthMessage health(Pool pool, ContainerInfo info) {
            return Blocking.get(pool.query()).getUnhealthyContainersList().stream()
                    .filter(h -> Ids.uuid(h.getContainer().getUuid()).equals(info.uuid()))
                    .findFirst()
                    .orElse(ContainerHealthMessage.getDefaultInstance());
        }

        private static void line(StringBuilder text, String name, Object value) {
            text.append(String.format(Locale.ROOT, "  %-27s: %s%n", name, Printable.of(value.toString())));
        }
    }

    @Command(name = "destroy", description = "Removes a container and its data.", mixinStandardHelpOptions = true)
    static final class Destroy extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Option(
                names = {"-f", "--force"},
                description = "Even if it is open.")
        private boolean force;

        @Override
        Answer run() {
            Blocking.run(session().pool(pool).destroyContainer(container, force));
            return new Answer("Successfully destroyed container " + Printable.of(container) + "\n", null);
        }
    }

    @Command(
            name = "create-snap",
            aliases = {
                "list-snap",
                "list-snaps",
                "destroy-snap",
                "rollback",
                "get-attr",
                "set-attr",
                "list-attr",
                "del-attr",
                "clone",
                "check"
            },
            description = "Snapshots, attributes: not built yet.",
            mixinStandardHelpOptions = true)
    static final class NotBuilt extends DaosCommand {
        @picocli.CommandLine.Unmatched
        private List<String> rest = new java.util.ArrayList<>();

        @Override
        Answer run() {
            throw notBuilt("this container command");
        }
    }
}
