"""`aiopyston`, a client of Piston's: it is told another base URL, and no more."""

from __future__ import annotations

from bench.clients import Client, Served

CLIENT = Client("aiopyston", requirements=("aiohttp",))


async def check_execute_and_runtimes(served: Served) -> None:
    """`PystonClient.execute`, `languages` and `get_runtimes`: runs, compilations, a refusal."""
    import pyston
    from pyston.exceptions import ExecutionError

    client = pyston.PystonClient(base_url=f"{served.url}/piston/")
    try:
        assert {"python", "cms_ioi"} <= await client.languages()
        version = (await client.get_runtimes("python3"))[0].version
        said = await client.execute(
            "python3",
            [pyston.File("import sys\nprint(input(), *sys.argv[1:])")],
            version=version,
            stdin="in",
            args=["argument"],
        )
        assert said.run_stage.stdout == "in argument\n", said.raw_json
        assert (said.run_stage.code, said.compile_stage) == (0, None), said.raw_json
        said = await client.execute("c++", [pyston.File("int main() { return }", "main.cpp")])
        assert said.compile_stage.code != 0, said.raw_json
        words = ""
        try:
            await client.execute("klingon", [pyston.File("")])
        except ExecutionError as error:
            words = str(error)
        assert words == "klingon-* runtime is unknown", words
    finally:
        await client.close_session()
