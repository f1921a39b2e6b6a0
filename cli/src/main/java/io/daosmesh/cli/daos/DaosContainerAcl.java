package io.daosmesh.cli.daos;

import io.daosmesh.admin.view.AclView;
import io.daosmesh.cli.AclFiles;
import io.daosmesh.client.Acls;
import io.daosmesh.client.Blocking;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.AclReply;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code daos container get-acl}, {@code overwrite-acl}, {@code update-acl}, {@code delete-acl} and {@code set-owner}. */
final class DaosContainerAcl {
    private DaosContainerAcl() {}

    /** What they have in common. */
    abstract static class OfContainer extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        String container = "";

        final Acls acls() {
            return session().pool(pool).acls();
        }

        static Answer shown(AclReply reply) {
            return new Answer(AclView.text(reply, false), AclView.json(reply));
        }
    }

    @Command(name = "get-acl", description = "Shows who may do what with a container.", mixinStandardHelpOptions = true)
    static final class Get extends OfContainer {
        @Option(names = "--outfile", paramLabel = "FILE", description = "Write it to a file.")
        private @Nullable String outfile;

        @Option(
                names = {"-f", "--force"},
                description = "Replace the file.")
        private boolean force;

        @Option(
                names = {"-v", "--verbose"},
                description = "Each entry in words, too.")
        private boolean verbose;

        @Override
        Answer run() {
            AclReply reply = Blocking.get(acls().get(container));
            String text = AclView.text(reply, verbose);
            return new Answer(outfile == null ? text : AclFiles.write(outfile, text, force), AclView.json(reply));
        }
    }

    @Command(name = "overwrite-acl", description = "Replaces the list of a container.", mixinStandardHelpOptions = true)
    static final class Overwrite extends OfContainer {
        @Option(
                names = {"-a", "--acl-file"},
                required = true,
                paramLabel = "FILE",
                description = "The new list.")
        private String file = "";

        @Override
        Answer run() {
            List<String> entries = AclFiles.read(file);
            return shown(Blocking.get(acls().overwrite(container, entries)));
        }
    }

    @Command(name = "update-acl", description = "Adds or changes entries.", mixinStandardHelpOptions = true)
    static final class Update extends OfContainer {
        @Option(
                names = {"-a", "--acl-file"},
                paramLabel = "FILE",
                description = "Entries, one a line.")
        private @Nullable String file;

        @Option(
                names = {"-e", "--entry"},
                paramLabel = "ENTRY",
                description = "One entry, e.g. A::ada@:rw")
        private @Nullable String entry;

        @Override
        Answer run() {
            List<String> entries = AclFiles.either(file, entry);
            return shown(Blocking.get(acls().update(container, entries)));
        }
    }

    @Command(name = "delete-acl", description = "Takes an entry out.", mixinStandardHelpOptions = true)
    static final class Delete extends OfContainer {
        @Option(
                names = {"-P", "-p", "--principal"},
                required = true,
                paramLabel = "PRINCIPAL",
                description = "u:NAME@, g:NAME@, OWNER@, GROUP@ or EVERYONE@")
        private String principal = "";

        @Override
        Answer run() {
            String whose = AclFiles.principal(principal);
            return shown(Blocking.get(acls().delete(container, whose)));
        }
    }

    @Command(name = "set-owner", description = "Gives a container away.", mixinStandardHelpOptions = true)
    static final class SetOwner extends OfContainer {
        @Option(
                names = {"-u", "--user"},
                paramLabel = "USER",
                description = "New owner.")
        private @Nullable String user;

        @Option(
                names = {"-g", "--group"},
                paramLabel = "GROUP",
                description = "New owning group.")
        private @Nullable String group;

        @Override
        Answer run() {
            if (user == null && group == null) {
                throw Fault.of(FaultCode.INVAL, "at least one of --user or --group must be supplied")
                        .asException();
            }
            Blocking.run(acls().setOwner(container, AclFiles.name(user), AclFiles.name(group)));
            return new Answer("Successfully set owner for container " + container + "\n", null);
        }
    }
}
