package io.daosmesh.cli.daos;

import io.daosmesh.admin.grammar.KeyValues;
import io.daosmesh.admin.view.PropertyView;
import io.daosmesh.client.Blocking;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.text.Printable;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code daos container get-prop} and {@code set-prop}. */
final class DaosContainerProperties {
    private DaosContainerProperties() {}

    @Command(name = "get-prop", description = "Shows properties of a container.", mixinStandardHelpOptions = true)
    static final class Get extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Parameters(index = "2", arity = "0..1", paramLabel = "KEY,..", description = "Only these.", split = ",")
        private List<String> positional = List.of();

        @Option(names = "--properties", paramLabel = "KEY,..", description = "The same.", split = ",")
        private List<String> keys = List.of();

        @Override
        Answer run() {
            Map<String, String> all = Blocking.get(session().poolToRead(pool).containerProperties(container, Map.of()));
            PropertyView view = PropertyView.ofContainer(all, positional.isEmpty() ? keys : positional);
            return new Answer("Properties for container " + Printable.of(container) + "\n" + view.text(), view.json());
        }
    }

    @Command(
            name = "set-prop",
            description = {
                "status:healthy makes an UNCLEAN container writable again;",
                "scrubber:off has the pool's scrubber leave its values alone."
            },
            mixinStandardHelpOptions = true)
    static final class Set extends DaosCommand {
        @Parameters(index = "0", paramLabel = "POOL")
        private String pool = "";

        @Parameters(index = "1", paramLabel = "CONT")
        private String container = "";

        @Parameters(index = "2", arity = "0..1", paramLabel = "K:V,..")
        private @Nullable String positional;

        @Option(names = "--properties", paramLabel = "K:V,..", description = "The same.")
        private @Nullable String properties;

        @Override
        Answer run() {
            String given = positional != null ? positional : properties;
            Map<String, String> set = given == null ? Map.of() : KeyValues.parse(given);
            if (set.isEmpty()) {
                throw Fault.of(FaultCode.INVAL, "no property given")
                        .remedy("give KEY:VALUE, for example status:healthy")
                        .asException();
            }
            Map<String, String> now = Blocking.get(session().pool(pool).containerProperties(container, set));
            return new Answer(
                    "Properties were successfully set\n",
                    PropertyView.ofContainer(now, List.of()).json());
        }
    }
}
