package io.daosmesh.itests.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Programs of others read the JSON of the tools: each field that one of them can print is told of in docs/json.md. */
class JsonFieldsTest {
    private static final List<String> TELLERS = List.of("cli", "bundles/admin", "bundles/console");
    private static final Pattern WORD = Pattern.compile("[a-z][a-z0-9_]*");
    private static final Pattern QUOTED = Pattern.compile("`([^`]*)`");

    @Test
    void shouldTellOfEveryFieldThatAToolPrints() throws IOException {
        Set<String> told = told(Project.read(Project.root().resolve("docs/json.md")));
        Map<String, String> printed = new TreeMap<>();
        for (String module : TELLERS)
            for (Path file : Project.sources(Project.root().resolve(module).resolve("src/main/java")))
                keys(file).forEach(key -> printed.put(key, file.getFileName().toString()));

        List<String> untold = new ArrayList<>();
        printed.forEach((key, file) -> {
            if (!told.contains(key)) untold.add(key + " of " + file);
        });

        assertEquals(List.of(), untold);
        assertTrue(printed.containsKey("host_errors") && printed.size() > 100, printed.toString());
    }

    private static Set<String> told(String page) {
        Set<String> words = new TreeSet<>();
        QUOTED.matcher(page)
                .results()
                .flatMap(quoted -> WORD.matcher(quoted.group(1)).results())
                .forEach(word -> words.add(word.group()));
        return words;
    }

    /** Every other argument of Json.object. */
    private static Set<String> keys(Path file) throws IOException {
        Set<String> keys = new TreeSet<>();
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            var task = (JavacTask)
                    compiler.getTask(null, files, problem -> {}, null, null, files.getJavaFileObjects(file));
            for (CompilationUnitTree unit : task.parse()) {
                unit.accept(
                        new TreeScanner<Void, Void>() {
                            @Override
                            public Void visitMethodInvocation(MethodInvocationTree call, Void unused) {
                                String called = call.getMethodSelect().toString();
                                if (called.equals("object") || called.endsWith(".object"))
                                    addKeys(call.getArguments(), keys);
                                return super.visitMethodInvocation(call, unused);
                            }
                        },
                        null);
            }
        }
        return keys;
    }

    private static void addKeys(List<? extends ExpressionTree> arguments, Set<String> keys) {
        for (int i = 0; i < arguments.size(); i += 2)
            if (arguments.get(i) instanceof LiteralTree l && l.getValue() instanceof String key) keys.add(key);
    }
}
