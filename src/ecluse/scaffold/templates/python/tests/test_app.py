from app import create_app

client = create_app({"GREETING": "Bonjour", "APP_VERSION": "1.4"}).test_client()


def test_the_page_greets():
    assert client.get("/").text == "Bonjour, this is {{service}}.\n"


def test_health_tells_the_version():
    assert client.get("/health").json == {"status": "ok", "version": "1.4"}
