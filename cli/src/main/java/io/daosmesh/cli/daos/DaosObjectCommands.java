package io.daosmesh.cli.daos;

import io.daosmesh.client.Container;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code daos object}. */
@Command(
        name = "object",
        aliases = "obj",
        description = "Objects.",
        mixinStandardHelpOptions = true,
        subcommands = {DaosObjectCommands.Query.class})
final class DaosObjectCommands implements DaosCommand.Group {
    @ParentCommand
    private DaosCommand.@Nullable Group parent;

    @Override
    public Daos daos() {
        return Objects.requireNonNull(parent).daos();
    }

    @Command(name = "query", description = "Shows where an object lives.", mixinStandardHelpOptions = true)
    static final class Query extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Parameters(index = "2", paramLabel = "OID", description = "HIGH.LOW, as fs list -j shows it.")
        private String oid = "";

        @Override
        Answer run() {
            ObjectId id = ObjectId.parse(oid);
            if (id.groupCount() < 1) {
                throw Fault.of(FaultCode.INVAL, "'%s' is no object id", oid).asException();
            }
            String className = new io.daosmesh.model.id.ObjectClass.Named(id.objectClass(), id.groupCount()).name();
            Container at = session().containerToRead(pool, container);
            PoolMap map = at.poolMap();
            StringBuilder text = new StringBuilder(String.format(
                    Locale.ROOT,
                    "oid: %s ver %d grp_nr: %d class: %s%n",
                    id,
                    map.version(),
                    id.groupCount(),
                    className));
            List<Object> groups = new ArrayList<>();
            for (ShardGroup group : at.layout(id)) {
                text.append("grp: ").append(group.index()).append('\n');
                List<Object> replicas = new ArrayList<>();
                for (int member : group.members()) {
                    PoolTarget target = map.target(member);
                    boolean isSettled = group.settled().contains(member);
                    text.append(String.format(
                            Locale.ROOT,
                            "replica %d rank %d target %d%s%n",
                            replicas.size(),
                            target.rank(),
                            target.index(),
                            isSettled ? "" : " (being rebuilt)"));
                    replicas.add(object("rank", target.rank(), "target", target.index(), "rebuilding", !isSettled));
                }
                groups.add(object("group", group.index(), "replicas", replicas));
            }
            return new Answer(
                    text.toString(),
                    object("oid", id.toString(), "class", className, "map_version", map.version(), "groups", groups));
        }
    }
}
