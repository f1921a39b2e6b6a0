package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A real daos_agent before a real mesh: a tool without any configuration or key works through it, also over restarts. */
@ExtendWith(SharedMesh.class)
@ResourceLock(SharedMesh.LOCK)
class AgentIT {
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path dir;

    @Test
    void shouldServeToolsOverRestartsOfAgentAndNodes() throws Exception {
        LocalMesh mesh = SharedMesh.mesh();
        mesh.dmg("pool", "create", "tank", "--size", "2GB").orFail();
        try {
            Process agent = agent(mesh);
            try {
                daos("container", "create", "tank", "c1");
                daos(
                        "kv",
                        "put",
                        "tank",
                        "c1",
                        "k",
                        mesh.dir().resolve("daos_agent.yml").toString());
                mesh.kill(1);
                daos("kv", "get", "tank", "c1", "k");
                mesh.startNode(1);

                assertEquals(0, stop(agent));
                agent = agent(mesh);

                daos("kv", "get", "tank", "c1", "k");
                assertEquals(0, stop(agent));
                assertTrue(Files.readString(dir.resolve("agent.log")).contains("stops"));
            } finally {
                agent.destroyForcibly();
            }
        } finally {
            SharedMesh.destroy("tank");
        }
    }

    private static int stop(Process agent) throws InterruptedException {
        agent.destroy();
        assertTrue(agent.waitFor(LONG.toSeconds(), TimeUnit.SECONDS));
        return agent.exitValue();
    }

    private Process agent(LocalMesh mesh) throws IOException {
        Process agent = tool(
                        "daos_agent",
                        "-o",
                        mesh.dir().resolve("daos_agent.yml").toString(),
                        "-s",
                        dir.resolve("run").toString(),
                        "-l",
                        dir.resolve("agent.log").toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        LocalMesh.await("the agent serves", LONG, () -> Files.exists(dir.resolve("run/daos_agent.sock")));
        return agent;
    }

    /** Neither -o nor DAOS_AGENT_CONFIG: only the agent's socket. */
    private void daos(String... args) throws Exception {
        ProcessBuilder daos =
                tool("daos", args).redirectOutput(dir.resolve("daos.out").toFile());
        daos.environment().remove("DAOS_AGENT_CONFIG");
        daos.environment().put("DAOS_AGENT_DRPC_DIR", dir.resolve("run").toString());
        Process process = daos.start();
        assertTrue(process.waitFor(LONG.toSeconds(), TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), Files.readString(dir.resolve("daos.out")));
    }

    private static ProcessBuilder tool(String program, String... args) {
        List<String> line = new ArrayList<>(List.of(LocalMesh.program(program).toString()));
        line.addAll(List.of(args));
        ProcessBuilder tool = new ProcessBuilder(line).redirectErrorStream(true);
        tool.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return tool;
    }
}
