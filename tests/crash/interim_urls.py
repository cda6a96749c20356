from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from ledger.actor import Actor
from treasury.services.callbacks import record_callback

@csrf_exempt
def cb(request, short, attempt, token):
    record_callback(actor=Actor.system("gateway"), attempt_id=attempt, token=token, body=request.body)
    return HttpResponse("{}")

urlpatterns=[path("api/callbacks/<str:short>/<uuid:attempt>/<str:token>/", cb)]
