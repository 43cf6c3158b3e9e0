"""The official SDK as a second client of the stand-in: it must understand every answer, and its requests must be accepted.

Reads {"url", "iam", "key", "prototype", "account"} from standard input and writes what it saw as JSON.
"""

import json
import sys

from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_platform_services import GlobalTaggingV1
from ibm_vpc import VpcV1, vpc_v1

given = json.load(sys.stdin)
account = given["account"]
authenticator = IAMAuthenticator(given["key"], url=given["iam"])
vpc = VpcV1("2026-10-06", authenticator=authenticator)
vpc.set_service_url(given["url"])

# What a provider sends, read and written again by the SDK's own model, which leaves out what it does not know.
prototype = vpc_v1.InstancePrototypeInstanceByImageInstanceByImageInstanceByNetworkInterface.from_dict(given["prototype"])
made = vpc_v1.Instance.from_dict(vpc.create_instance(prototype).get_result())
looked = vpc_v1.Instance.from_dict(vpc.get_instance(made.id).get_result())
listed = vpc_v1.InstanceCollection.from_dict(vpc.list_instances(name=made.name).get_result())
tag = looked and given["prototype"]["boot_volume_attachment"]["volume"]["user_tags"][0]
volumes = vpc_v1.VolumeCollection.from_dict(vpc.list_volumes(tag=tag).get_result())
boot = vpc_v1.Volume.from_dict(vpc.get_volume(looked.boot_volume_attachment.volume.id).get_result())
image = vpc_v1.Image.from_dict(vpc.get_image(account["image"]).get_result())
profile = vpc_v1.InstanceProfile.from_dict(vpc.get_instance_profile(given["prototype"]["profile"]["name"]).get_result())
subnet = vpc_v1.Subnet.from_dict(vpc.get_subnet(account["subnet"]).get_result())
group = vpc_v1.SecurityGroup.from_dict(vpc.get_security_group(account["securityGroup"]).get_result())
key = vpc_v1.Key.from_dict(vpc.get_key(account["key"]).get_result())

tagging = GlobalTaggingV1(authenticator=authenticator)
tagging.set_service_url(given["iam"])
attached = tagging.attach_tag(
    resources=[{"resource_id": made.crn}], tag_names=["second:client"], tag_type="user"
).get_result()
tags = tagging.list_tags(attached_to=made.crn, tag_type="user").get_result()

vpc.delete_instance(made.id)
try:
    vpc.get_instance(made.id)
    gone = False
except Exception as error:  # the SDK's ApiException; its class is not what is looked at
    gone = getattr(error, "status_code", getattr(error, "code", 0)) == 404

json.dump(
    {
        "sent": prototype.to_dict(),
        "id": made.id,
        "address": looked.primary_network_interface.primary_ip.address,
        "listed": [one.id for one in listed.instances],
        "volumes": [one.id for one in volumes.volumes],
        "bootTags": boot.user_tags,
        "image": image.operating_system.architecture,
        "vcpus": profile.to_dict()["vcpu_count"]["value"],
        "zone": subnet.zone.name,
        "group": group.vpc.id,
        "key": key.id,
        "attached": [one["is_error"] for one in attached["results"]],
        "tags": [one["name"] for one in tags["items"]],
        "gone": gone,
    },
    sys.stdout,
)
